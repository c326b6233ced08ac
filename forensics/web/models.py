"""What the API takes in, checked before anything looks at it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CaseId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="Id of a case.")]
Text = Annotated[str, Field(pattern="^[^\\x00]*$")]
Language = Literal["en", "zh"]
Sort = Literal["created", "-created", "name", "-name", "probability", "-probability"]
VerdictName = Literal["suspect", "inconclusive", "no_evidence"]
DecisionName = Literal[
    "open", "second_reader", "disagreement", "confirmed", "rejected", "unsure"
]  # fmt: skip
OutcomeName = Literal["compliant", "noncompliant", "not_found", "inconclusive"]
StateName = Literal["queued", "running", "done"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReviewIn(_Strict):
    """A reviewer's decision."""

    reviewer: Text = Field(min_length=1, max_length=100)
    opinion: Literal["confirm", "reject", "unsure"]
    note: Text = Field(default="", max_length=4000)


class SessionIn(_Strict):
    """The token that opens a browser session."""

    token: str = Field(min_length=1, max_length=1000)


class Accepted(BaseModel):
    """An upload that was taken."""

    id: str
    state: str
    name: str


class Problem(BaseModel):
    """Why a request was refused."""

    code: str
    detail: str
