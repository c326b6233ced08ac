from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from forensics.errors import OutputError, UsageError
from forensics.store import Case, Filter, Review, Store
from forensics.store.cases import now, path_id
from forensics.store.connect import DamagedStoreError, set_aside, translated, writing
from forensics.store.migrations import STEPS, migrate
from forensics.store.tables import EVIDENCE, FILES, FINDINGS, META, SCANS
from tests.store.reports import make_report


def entered(store: Store, *names: str) -> list[str]:
    cases = [Case(path_id(name), path=name, config="c" * 64) for name in names]
    store.add(cases)
    return [case.id for case in cases]


def test_a_report_comes_back_as_it_was_and_in_columns(store: Store) -> None:
    (one,) = entered(store, "clips/a.mp4")
    report = make_report("clips/a.mp4", label="suspect", score=0.9, reasons=("few_crops",))
    store.finish(one, report, seconds=1.5, looks="ff" * 32)
    case = store.case(one)
    assert case is not None
    assert (case.state, case.verdict, case.score, case.low) == ("done", "suspect", 0.9, 0.45)
    assert case.reasons == ("few_crops",)
    assert case.weights == "blend:0123456789ab"
    assert case.name == "a.mp4"
    assert case.finished is not None and case.finished.tzinfo is not None
    assert json.loads(store.report(one) or "") == report
    assert [scan.seconds for scan in store.scans(one)] == [1.5]


def test_a_known_case_is_left_as_it_is(store: Store) -> None:
    (one,) = entered(store, "a.mp4")
    store.finish(one, make_report())
    assert store.add([Case(one, path="a.mp4"), Case("f" * 32, path="b.mp4")]) == 1
    assert [c.state for c in store.find().cases] == ["done", "queued"]


def test_a_second_scan_is_current_and_the_first_is_kept(store: Store) -> None:
    (one,) = entered(store, "a.mp4")
    store.finish(one, make_report(rule="cn-1"))
    store.finish(one, make_report(label="suspect", score=0.8))
    case = store.case(one)
    assert case is not None and case.verdict == "suspect"
    assert [scan.verdict for scan in store.scans(one)] == ["no_evidence", "suspect"]
    assert store.find(Filter(rule="cn-1")).total == 0


def test_filters(store: Store) -> None:
    ids = entered(store, "x/a.mp4", "x/b%.mp4", "y/c.mp4", "y/d.mp4")
    early = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    store.finish(ids[0], make_report(score=0.1, rule="cn-1"), finished=early)
    store.finish(ids[1], make_report(label="suspect", score=0.9, sha256="b" * 64,
                                     weights="fedcba9876543210"))  # fmt: skip
    store.finish(ids[2], make_report(sha256=None, label="inconclusive",
                                     reasons=("unreadable", "timeout")))  # fmt: skip

    def names(**given: object) -> list[str]:
        return [case.name for case in store.find(Filter(**given)).cases]  # type: ignore[arg-type]

    assert names(verdict="suspect") == ["b%.mp4"]
    assert names(state="queued") == ["d.mp4"]
    assert names(rule="cn-1", outcome="noncompliant") == ["a.mp4"]
    assert names(outcome="compliant") == []
    assert names(reason="timeout") == ["c.mp4"]
    assert names(reason="time") == []
    assert names(text="B%") == ["b%.mp4"]
    assert names(since=early + dt.timedelta(days=1)) == ["b%.mp4", "c.mp4"]
    assert names(until=early + dt.timedelta(days=1)) == ["a.mp4"]
    assert names(min_score=0.5) == ["b%.mp4"]
    assert names(max_score=0.15) == ["a.mp4"]
    assert names(weights="fedcba") == ["b%.mp4"]
    assert names(not_weights="fedcba", state="done") == ["a.mp4", "c.mp4"]
    ranked = store.find(sort="-score").cases
    assert ranked[0].name == "b%.mp4"
    assert store.counts() == {"no_evidence": 1, "suspect": 1, "inconclusive": 1, "queued": 1}
    assert [c.name for c in store.each(sort="-number")] == ["d.mp4", "c.mp4", "b%.mp4", "a.mp4"]
    with pytest.raises(UsageError, match="--sort"):
        store.find(sort="drop table")


def test_reviews(store: Store) -> None:
    (one,) = entered(store, "a.mp4")
    store.finish(one, make_report())
    store.add_review(one, Review("李", "confirm", "seam\0", now()), decision="confirmed", reviews=1)
    assert [r.reviewer for r in store.reviews(one)] == ["李"]
    assert store.find(Filter(decision="confirmed")).cases[0].reviews == 1


def test_hostile_names_and_texts_are_stored(store: Store) -> None:
    name = "bad\udcff'; DROP TABLE cases; --\n.mp4"
    (one,) = entered(store, name)
    store.finish(one, make_report(name, explanation="nul \0 and \udc80"))
    case = store.case(one)
    assert case is not None and "DROP TABLE" in case.path


def test_deleting_leaves_digests_and_nothing_else(store: Store) -> None:
    ids = entered(store, "a.mp4", "b.mp4", "c.mp4")
    store.finish(ids[0], make_report("a.mp4", rule="cn-1"), record_sha256="d" * 64)
    store.finish(ids[1], make_report("b.mp4"))
    store.finish(ids[2], make_report("c.mp4", sha256="c" * 64))
    gone = store.delete([ids[0], ids[2], "0" * 32])
    assert {g.case: g.media_sha256 for g in gone} == {ids[0]: "a" * 64, ids[2]: "c" * 64}
    assert "d" * 64 in {g.report_sha256 for g in gone}
    with store.reading() as link:
        left = {t.name: link.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()
                for t in (SCANS, EVIDENCE, FINDINGS, FILES)}  # fmt: skip
        kept = link.scalars(sa.select(FILES.c.sha256)).all()
    assert left == {"scans": 1, "evidence": 1, "findings": 0, "files": 1}
    assert kept == ["a" * 64], "b.mp4 has the same bytes and stays"


def test_retention_finds_old_cases(store: Store) -> None:
    old = now() - dt.timedelta(days=40)
    store.add([Case("1" * 32, path="old", created=old), Case("2" * 32, path="new")])
    store.finish("1" * 32, make_report("old"))
    store.finish("2" * 32, make_report("new"))
    assert store.older(now() - dt.timedelta(days=30)) == ["1" * 32]


def test_what_was_scanned_with_older_weights_is_found(store: Store) -> None:
    ids = entered(store, "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    for number, weights in enumerate(("1111aaaa", "2222bbbb", "3333cccc")):
        store.finish(ids[number], make_report(weights=weights),
                     finished=now() + dt.timedelta(hours=number))  # fmt: skip

    def older(weights: str) -> list[str]:
        return [case.name for case in store.older_weights(weights)]

    names = [f"blend:{(weights * 4)[:12]}" for weights in ("1111aaaa", "2222bbbb", "3333cccc")]
    assert older(names[0]) == []
    assert older(names[1]) == ["a.mp4"] == older("2222")
    assert older(names[2]) == ["a.mp4", "b.mp4"]
    assert older("blend:ffffffffffff") == ["a.mp4", "b.mp4", "c.mp4"], "unused ones are the newest"
    store.finish(ids[0], make_report(weights="3333cccc"), finished=now() + dt.timedelta(hours=3))
    assert older(names[2]) == ["b.mp4"]


def test_an_older_schema_is_migrated_and_a_newer_one_refused(url: str) -> None:
    Store(url).close()
    store = Store(url)

    def add_column(link: sa.Connection) -> None:
        link.execute(sa.text("ALTER TABLE cases ADD COLUMN remark TEXT"))

    with store.writing() as link:
        assert migrate(link, "db", steps=(*STEPS, add_column)) == 3
        assert "remark" in {c["name"] for c in sa.inspect(link).get_columns("cases")}
    store.close()
    with pytest.raises(OutputError, match="schema version 3, this program knows 2"):
        Store(url)


def test_a_store_of_the_first_version_gets_the_indexes_of_now(url: str) -> None:
    def indexes(store: Store) -> set[str]:
        with store.reading() as link:
            return {str(index["name"]) for index in sa.inspect(link).get_indexes("cases")}

    with Store(url) as store:
        (one,) = entered(store, "Clips/a.mp4")
        newest = indexes(store)
        with store.writing() as link:
            for name in newest & {"cases_narrow", "cases_by_text"}:
                link.execute(sa.text(f"DROP INDEX {name}"))
            link.execute(sa.text("DROP INDEX ix_files_packets"))
            link.execute(sa.text("ALTER TABLE files DROP COLUMN packets"))
            link.execute(sa.text("ALTER TABLE cases DROP COLUMN same_stream"))
            if link.dialect.name == "sqlite":
                link.execute(sa.text("CREATE INDEX cases_by_path ON cases (path)"))
            link.execute(sa.update(META).values(value="1"))
    with Store(url) as store:
        assert indexes(store) == newest and newest & {"cases_narrow", "cases_by_text"}
        assert [case.id for case in store.find(Filter(text="clips/")).cases] == [one]


def test_a_postgresql_without_trigrams_is_searched_all_the_same(
    fresh_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = sa.text("CREATE EXTENSION no_such_extension")
    monkeypatch.setattr("forensics.store.migrations._TRIGRAMS", broken)
    with Store(fresh_postgres) as store:
        (one,) = entered(store, "clips/a.mp4")
        assert [case.id for case in store.find(Filter(text="CLIPS")).cases] == [one]


@pytest.mark.parametrize("text", ["%", "_", "/", "B%", "x/b_", "\\"])
def test_signs_of_patterns_are_letters_like_others(store: Store, text: str) -> None:
    names = ["x/b%.mp4", "x/b_.mp4", "y\\c.mp4"]
    entered(store, *names, *(f"more{n}" for n in range(60)))  # rare ones take another way
    found = [case.path for case in store.find(Filter(text=text), sort="-path").cases]
    assert found == sorted((n for n in names if text.lower() in n), reverse=True)


def test_rare_matches_are_found_sorted_and_counted(store: Store) -> None:
    ids = entered(store, *(f"{number:03}.mp4" for number in range(90)))
    for number in (3, 40, 77):
        store.finish(ids[number], make_report(f"{number:03}.mp4", label="suspect",
                                              score=number / 100))  # fmt: skip
    page = store.find(Filter(verdict="suspect"), sort="-score", offset=1, limit=1)
    assert (page.total, [case.name for case in page.cases]) == (3, ["040.mp4"])
    assert page.states == {"done": 3, "queued": 87}


def test_a_failed_migration_changes_nothing(url: str) -> None:
    store = Store(url)

    def half(link: sa.Connection) -> None:
        link.execute(sa.text("ALTER TABLE cases ADD COLUMN remark TEXT"))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError), store.writing() as link:
        migrate(link, "db", steps=(*STEPS, half))
    with store.reading() as link:
        assert link.execute(sa.select(META.c.value)).scalar() == str(len(STEPS) + 1)
        assert "remark" not in {c["name"] for c in sa.inspect(link).get_columns("cases")}
    store.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" * 300])
def test_a_damaged_file_is_refused_and_can_be_set_aside(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cases.sqlite"
    file.write_bytes(content)
    with pytest.raises(DamagedStoreError, match=r"cases\.sqlite: the database is damaged"):
        Store(str(file))
    moved = set_aside(sa.make_url(f"sqlite:///{file}"))
    assert moved is not None and moved.read_bytes() == content
    with Store(str(file)) as store:
        assert store.find().total == 0


def test_two_damaged_files_in_one_second_are_both_kept(tmp_path: Path) -> None:
    file = tmp_path / "cases.sqlite"
    kept = set()
    for number in range(3):
        file.write_bytes(b"%d" % number)
        moved = set_aside(sa.make_url(f"sqlite:///{file}"))
        assert moved is not None
        kept.add(moved)
    assert sorted(path.read_bytes() for path in kept) == [b"0", b"1", b"2"]


def test_a_locked_database_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "cases.sqlite"
    with Store(str(file), busy_ms=50) as store:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OutputError, match="database is locked"):
            entered(store, "a.mp4")
        other.execute("COMMIT")
        other.close()
        assert len(entered(store, "a.mp4")) == 1


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    with Store(str(tmp_path / "cases.sqlite")) as store:
        entered(store, "a.mp4")
        with pytest.raises(OutputError, match="database or disk is full"), translated("db"), \
                writing(store._engine) as link:  # fmt: skip
            link.exec_driver_sql("PRAGMA max_page_count=1")
            for number in range(200):
                link.execute(sa.insert(META).values(name=str(number), value="x" * 4000))
    with Store(str(tmp_path / "cases.sqlite")) as store:
        assert store.find().total == 1


@pytest.mark.parametrize(("url", "message"), [
    ("mysql://x/y", "neither sqlite nor postgresql"),
    ("sqlite://", "needs a file"),
    ("postgresql://u:secret@127.0.0.1:1/none", "cannot be used"),
])  # fmt: skip
def test_addresses_that_lead_nowhere(url: str, message: str) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises((UsageError, OutputError), match=message) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_reading_commands_do_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such database"):
        Store(str(tmp_path / "none.sqlite"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unable to open database file"):
        Store(str(tmp_path / "missing" / "cases.sqlite"))
