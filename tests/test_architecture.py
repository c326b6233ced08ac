"""Rules of the code base that a machine can check, read from the source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import forensics

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("forensics", "generator")

# Each layer may import those above it in this list, and its own members.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("types", "errors", "_arrays", "_illustration"),
    ("media", "container", "models"),
    ("faces",),
    ("detectors", "provenance"),
    ("verdict", "policy"),
    ("report",),
    ("store", "evaluation"),
    ("engines",),
    ("batch",),
    ("training",),
    ("testing",),
    ("cli", "web"),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

HEAVY = frozenset({"torch", "torchvision", "sklearn", "scipy", "timm"})
UNSAFE = frozenset({"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "yaml"})
NETWORK = frozenset(
    {"requests", "httpx", "aiohttp", "ftplib", "smtplib", "urllib.request", "http.client"}
)
# Ask the authority that the user names with --tsa or the service named with --webhook, nobody else.
MAY_ASK = (
    Path("forensics/report/custody/timestamp.py"),
    Path("forensics/batch/webhook.py"),
)
MAX_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module: where, which, and whether importing the file runs it."""

    file: Path
    line: int
    module: str
    at_start: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def _sources() -> list[Path]:
    return sorted(
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _targets(node: ast.stmt, file: Path) -> list[str]:
    """Return the dotted names that an import statement may load."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = file.parent.parts[: len(file.parent.parts) - node.level + 1]
        base = ".".join([*package, base]).rstrip(".")
    return [f"{base}.{alias.name}" for alias in node.names]


def imports_of(source: str, file: Path) -> Iterator[Import]:
    """Yield every import in ``source``, those inside functions included."""

    def visit(node: ast.AST, at_start: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                for target in _targets(child, file):
                    yield Import(file, child.lineno, target, at_start)
            deferred = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from visit(child, at_start and not deferred and not _is_type_checking(child))

    return visit(ast.parse(source), True)


@lru_cache(maxsize=1)
def _all_imports() -> tuple[Import, ...]:
    return tuple(
        found
        for file in _sources()
        for found in imports_of((ROOT / file).read_text(encoding="utf-8"), file)
    )


def _part(module: str) -> str | None:
    """Return the part of ``forensics`` that a dotted name lies in; None outside of it."""
    head, _, rest = module.partition(".")
    if head != "forensics" or not rest:
        return None
    name = rest.split(".")[0]
    # `from forensics import scan` reaches the home module of that name.
    home = forensics._HOMES.get(name)
    return home.split(".")[1] if home else name


def back_edges(found: Iterable[Import]) -> list[str]:
    """Return imports inside ``forensics`` that point to a higher layer."""
    wrong = []
    for item in found:
        if item.file.parts[0] != "forensics" or len(item.file.parts) < 2:
            continue
        here = _part(".".join(item.file.with_suffix("").parts))
        there = _part(item.module)
        if here is None or here == "__init__" or there is None or there.startswith("__"):
            continue
        if RANK[here] < RANK[there]:
            wrong.append(str(item))
    return wrong


def _matches(module: str, banned: frozenset[str]) -> bool:
    parts = module.split(".")
    return any(".".join(parts[: n + 1]) in banned for n in range(len(parts)))


def test_every_part_has_a_layer() -> None:
    parts = {
        path.stem
        for path in (ROOT / "forensics").iterdir()
        if (path.is_dir() and any(path.glob("*.py"))) or path.suffix == ".py"
    }
    assert parts - {"__init__"} <= set(RANK), "put the new package into LAYERS"


def test_imports_flow_one_way() -> None:
    assert back_edges(_all_imports()) == []


def test_a_back_edge_is_seen() -> None:
    source = "def f():\n    from ..engines import scan\n"
    assert back_edges(imports_of(source, Path("forensics/media/reader.py")))
    source = "from forensics import scan\n"
    assert back_edges(imports_of(source, Path("forensics/faces/detect.py")))
    source = "from forensics.media import open_clip\nfrom forensics import __version__\n"
    assert not back_edges(imports_of(source, Path("forensics/engines/_scan.py")))


def test_neighbours_do_not_import_each_other_mutually() -> None:
    edges = set()
    for item in _all_imports():
        here, there = _part(".".join(item.file.with_suffix("").parts)), _part(item.module)
        if here != there and here in RANK and there in RANK:
            edges.add((here, there))
    assert [edge for edge in edges if edge[::-1] in edges] == []


def test_forensics_never_imports_the_generator() -> None:
    wrong = [
        str(item)
        for item in _all_imports()
        if item.file.parts[0] == "forensics" and item.module.split(".")[0] == "generator"
    ]
    assert wrong == []


def test_heavy_libraries_stay_in_training_and_generator() -> None:
    wrong = [
        str(item)
        for item in _all_imports()
        if item.at_start
        and _matches(item.module, HEAVY)
        and item.file.parts[:2] != ("forensics", "training")
        and item.file.parts[0] != "generator"
    ]
    assert wrong == []


def test_no_format_that_can_run_code() -> None:
    assert [str(item) for item in _all_imports() if _matches(item.module, UNSAFE)] == []


def test_torch_load_is_always_restricted() -> None:
    wrong = []
    for file in _sources():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != "torch.load":
                continue
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if given.get("weights_only") != "True":
                wrong.append(f"{file}:{node.lineno}")
    assert wrong == []


def test_only_the_web_part_time_stamps_and_webhooks_may_know_the_network() -> None:
    wrong = [
        str(item)
        for item in _all_imports()
        if _matches(item.module, NETWORK)
        and item.file.parts[:2] != ("forensics", "web")
        and item.file not in MAY_ASK
    ]
    assert wrong == []


def test_files_stay_small() -> None:
    sizes = {
        str(file): len((ROOT / file).read_text(encoding="utf-8").splitlines())
        for file in _sources()
    }
    assert {file: size for file, size in sizes.items() if size > MAX_LINES} == {}


def test_no_dumping_ground() -> None:
    assert [str(file) for file in _sources() if file.name == "utils.py"] == []
