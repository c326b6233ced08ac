"""The reviewer's desk: a local web page and JSON API over the same engine (``[serve]`` extra).

Start at `forensics.web.app.create_app`. Nothing here is imported by the plain command line.
"""
