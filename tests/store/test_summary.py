"""The page about a whole store."""

from __future__ import annotations

import re

from forensics.store import Store
from forensics.store.summary import summary_html
from tests.store.reports import make_report
from tests.store.test_store import entered


def test_the_summary_says_what_there_is_and_which_files_belong_together(store: Store) -> None:
    ids = entered(store, "first.mp4", "<b>copy.mp4", "near.mp4", "stream.mov", "gone.mp4",
                  "new.mp4")  # fmt: skip
    for number, score in enumerate((0.7, 0.9, 0.8, 0.6)):
        link = ({}, {"same_as": ids[0]}, {"near": ids[0], "near_distance": 12},
                {"same_stream": ids[0]})[number]  # fmt: skip
        label = "no_evidence" if number == 0 else "suspect"
        store.finish(ids[number], make_report(label=label, score=score), **link)
    store.finish(ids[4], make_report("gone.mp4", label="inconclusive", sha256=None,
                                     reasons=("unreadable",)))  # fmt: skip
    page = summary_html(store)
    text = re.sub(r"<[^>]+>", " ", page.split("</style>")[1])
    plain = " ".join(text.split())
    assert "6 files in" in plain and "no record yet 1" in plain
    assert "suspect 3 60.0% (23.1% to 88.2%)" in plain
    assert "&lt;b&gt;copy.mp4 90 % the same bytes as first.mp4 (no evidence)" in plain
    assert "near.mp4 80 % looks (12 of 256 bits differ) like first.mp4 (no evidence)" in plain
    assert "stream.mov 60 % the same coded pictures as first.mp4 (no evidence)" in plain
    assert "gone.mp4 no such file" in plain
    assert "<script" not in page and "<b>" not in page
