"""Cases before the rules, made without a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forensics.container.texts import Carried
from forensics.policy import Case
from forensics.provenance.aigc import AigcLabel, parse_aigc
from forensics.provenance.c2pa import C2paFacts
from forensics.provenance.facts import ProvenanceFacts
from forensics.types import Declaration, Verdict

LABEL = parse_aigc(AigcLabel("1", producer="Svc", produce_id="42").to_json(), site="xmp")
SIGNED = C2paFacts("intact", source_types=("trainedAlgorithmicMedia",), signer_trust="trusted")

MakeCase = Callable[..., Case]


def case(**changes: Any) -> Case:
    """A readable MP4 that says nothing; facts and case members by name."""
    mine = {k: changes.pop(k) for k in list(changes) if k in Case.__dataclass_fields__}
    if isinstance(mine.get("verdict"), str):
        mine["verdict"] = Verdict(mine["verdict"])
    by = ("c2pa",) if "c2pa" in changes else ("aigc xmp",) if "labels" in changes else ()
    status = "declared_synthetic" if by else "none"
    facts = ProvenanceFacts(
        **{"declaration": Declaration(status, by=by), "container": Carried("mp4"), **changes}
    )
    return Case(facts=facts, **mine)


@pytest.fixture
def make_case() -> MakeCase:
    return case
