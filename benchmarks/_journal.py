"""What a benchmark measured so far, a JSON line at a time, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


class Journal:
    """Lines in a file that belongs to one set of facts.

    Args:
        folder: Made when it is missing.
        facts: JSON-ready; whatever the lines depend on. Others have another file.

    Attributes:
        rows: What is in it, in order.
    """

    def __init__(self, folder: Path, facts: Any) -> None:
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{digest[:24]}.jsonl"
        self.rows: list[Any] = []
        if not self._path.exists():
            return
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a killed run left half a line
            self._path.write_text(whole, encoding="utf-8")
        self.rows = [json.loads(line) for line in whole.splitlines()]

    def add(self, row: Any) -> None:
        """Write one line."""
        self.rows.append(row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
