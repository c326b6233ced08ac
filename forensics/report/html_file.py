"""File facts, and how the report was made."""

from __future__ import annotations

from forensics.report.markup import esc, facts, label, tag, value_html
from forensics.report.model import report_to_dict
from forensics.types import Report

_UNITS = {"bytes": "{:,} bytes", "duration": "{:.2f} s", "fps": "{:.3f} frames per second"}
_TITLES = {
    "sha256": "SHA-256",
    "fps": "Mean frame rate",
    "bytes": "Size of the file",
    "size": "Displayed size",
    "kind": "Kind",
    "streams": "Picture streams",
    "has_audio": "Has sound",
}
_MAKING = {
    "versions": "Versions",
    "weights_sha256": "SHA-256 of the weights",
    "config": "Configuration",
    "config_sha256": "SHA-256 of the configuration",
    "sampling": "Which pictures were looked at",
}
_HIDDEN = ("error_rate", "file")


def file_section(report: Report, prefix: str) -> str:
    """Return the facts about the file, its hash included."""
    known = report_to_dict(report)["file"]
    rows = [(_TITLES.get(name, label(name)), _fact(name, known[name])) for name in known]
    heading = tag("h2", "The file", id=f"{prefix}file")
    return tag("section", heading, facts("Facts read from the file", rows))


def _fact(name: str, value: object) -> str:
    if value is None:
        return "not known"
    if name in _UNITS and isinstance(value, int | float):
        return esc(_UNITS[name].format(value))
    if name == "size" and isinstance(value, list):
        return f"{value[0]} \u00d7 {value[1]} px"
    if name == "rotation":
        return f"{esc(value)}\u00b0"
    return tag("code", esc(value)) if name in ("sha256", "path") else value_html(value)


def making_section(report: Report, prefix: str) -> str:
    """Return versions, weights, configuration, sampling and the known error rate."""
    environment = report_to_dict(report)["environment"]
    parts = [tag("h2", "How this report was made", id=f"{prefix}making")]
    names = [name for name in environment if name not in _HIDDEN]
    rows = [(_MAKING.get(name, label(name)), value_html(environment[name])) for name in names]
    parts.append(facts("Enough to repeat the examination", rows))
    rate = environment.get("error_rate")
    parts.append(tag("h3", "Known error rate"))
    if isinstance(rate, dict):
        measured = [(label(name), value_html(value)) for name, value in rate.items()]
        parts.append(facts("Measured on the named material only", measured))
    else:
        parts.append(tag("p", value_html(rate) if rate else "No error rate is stated."))
    return tag("section", *parts)
