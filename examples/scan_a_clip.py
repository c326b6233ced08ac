"""Scan one file and print what was measured and what follows from it.

Usage: python examples/scan_a_clip.py CLIP
"""

import sys

import forensics as fx


def main(path: str) -> None:
    report = fx.scan(path)
    print(report.verdict.label, report.verdict.probability, report.verdict.interval)
    for item in report.evidence:
        print(item.source, item.span, item.llr, item.explanation)
    for track in report.tracks:
        if track.abstained:
            print(f"face {track.id} was not judged: {', '.join(track.reasons)}")


if __name__ == "__main__":
    main(sys.argv[1])
