"""Turn a `forensics.types.Report` into JSON, a terminal table or one self-contained HTML file.

Start at `forensics.report.write.writers`: it names every output format. Nothing here judges; the
wording says what was measured, what was concluded and what that does not prove.
"""
