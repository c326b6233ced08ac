"""Blocks of the documents about detection research: see `benchmarks.tables`."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.accuracy.promises import HEAD, SOURCES, promises
from benchmarks.tables import Result, accuracy_lines, bar_lines, figures, interval


@figures("accuracy-bars", of="accuracy")
def _accuracy_bars(result: Result) -> list[str]:
    return bar_lines(result)


@figures("paired", of="accuracy", optional=True)
def _paired(result: Result) -> list[str]:
    lines = ["| set | against | AUC, ours minus theirs [95 %] | n |", "|---|---|---|---|"]
    for row in result.get("paired", []):
        difference = interval(row["difference"], row["interval"])
        lines.append(f"| {row['set']} | {row['against']} | {difference} | {row['n']} |")
    return lines if len(lines) > 2 else ["These results hold no comparison on the same rows."]


@figures("once", of="once", optional=True)
def _once(result: Result) -> list[str]:
    parts = ("", "Ours against each peer on the same rows:", "")
    return [*accuracy_lines(result), *_stills(result), *parts, *_paired(result)]


@figures("cross-auc", of="accuracy", optional=True)
def _cross(result: Result) -> list[str]:
    cross = result.get("cross_auc")
    if not cross:
        return ["These results hold one set only, or none that can be crossed."]
    lines = [
        f"| reals of, against fakes of | {' | '.join(cross['sets'])} |",
        "|---" * (len(cross["sets"]) + 1) + "|",
    ]
    for name, values, bounds in zip(cross["sets"], cross["auc"], cross["interval"], strict=True):
        cells = [
            "-" if value is None else interval(value, ends)
            for value, ends in zip(values, bounds, strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    within, across = interval(cross["within"], None), interval(cross["across"], None)
    return [*lines, "", f"Mean AUC within sets {within}, across sets {across}."]


@figures("at-threshold", of="accuracy", optional=True)
def _at_threshold(result: Result) -> list[str]:
    rows = result.get("at_threshold") or []
    if not rows:
        return ["These results do not hold the counts at the threshold."]
    lines = ["| set | groups | suspect | rate [95 %] | a claim of 5 % |", "|---|---|---|---|---|"]
    for row in rows:
        said = "carried by n" if row["supported"] else "not supported by n"
        rate = interval(row["fpr"], row["interval"])
        lines.append(f"| {row['set']} | {row['groups']} | {row['hits']} | {rate} | {said} |")
    return [*lines, *_stills(result)]


def _stills(result: Result) -> list[str]:
    stills = result.get("stills_called") or []
    if not stills:
        return []
    lines = ["", "Crops, if each were a still to be scanned:", "",
             "| set | real called suspect [95 %] | of | fakes called [95 %] | of |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in stills:
        cells = [f"{interval(row[label]['rate'], row[label]['interval'])} | {row[label]['n']}"
                 for label in ("real", "fake")]  # fmt: skip
        lines.append(f"| {row['set']} | {' | '.join(cells)} |")
    return lines


_POINTS = {"clips": "called by the scan", "crops": "at 5 % of the set's own reals"}


def calling_point(part: Result) -> str:
    """Return by what rule the rows of a subgroup table were called suspect."""
    return _POINTS.get(part.get("kind", ""), "at the threshold of whole clips")


@figures("subgroups", of="accuracy", optional=True)
def _subgroups(result: Result) -> list[str]:
    lines = []
    for part in result.get("subgroups") or []:
        gap = interval(part["gap"], part["gap_interval"])
        lines += [
            f"{part['set']}, by {part['by']}, {calling_point(part)}: largest gap of "
            f"the false positive rate {gap}.", "",
            "| subgroup | real groups | FPR [95 %] | fakes | AUC [95 %] |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for row in part["rows"]:
            fpr = interval(row["fpr"], row["interval"])
            auc = "-" if row["auc"] is None else interval(row["auc"], row["auc_interval"])
            lines.append(f"| {row['name']} | {row['groups']} | {fpr} | {row['fakes']} | {auc} |")
        lines.append("")
    return lines[:-1] or ["These results hold no subgroup."]


def distorted_rows(result: Result) -> list[Result]:
    """Return every cell of distortions and codec ladder; the ladder's kinds are named as such."""
    ladder = [{**row, "kind": f"ladder, {row['kind']}"} for row in result.get("ladder", [])]
    return [*result["cells"], *ladder]


def distorted_grids(result: Result) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return head, level names and rows of three tables: AUC, called suspect, not judged."""
    found = distorted_rows(result)
    levels = [f"level {level}" for level in sorted({row["level"] for row in found})]
    kinds = dict.fromkeys(row["kind"] for row in found)
    told: tuple[tuple[str, Callable[[Result], str]], ...] = (
        ("AUC [95 %]", lambda row: interval(row["auc"], row["auc_interval"])),
        ("suspect, real + fake (real that were not before)",
         lambda row: f"{_said(row, 'suspect')} ({row['real_to_suspect']})"),
        ("no face judged, real + fake", lambda row: _said(row, "not_judged")),
    )  # fmt: skip
    return [
        (head, levels, [[kind, *(of(row) for row in found if row["kind"] == kind)]
                        for kind in kinds])
        for head, of in told
    ]  # fmt: skip


def _said(row: Result, verdict: str) -> str:
    real, fake = (row["verdicts"][label][verdict] for label in ("real", "fake"))
    return f"{real} + {fake}"


@figures("robustness", of="robustness", optional=True)
def _robustness(result: Result) -> list[str]:
    clean, lost = result["clean"], result["mean_drop"]
    ladder = sum(row["real_to_suspect"] for row in result.get("ladder", []))
    lines = [
        f"Clean {interval(clean['auc'], clean['auc_interval'])}; {result['n_real']} real and "
        f"{result['n_fake']} manipulated clips of {result['groups']} groups, {result['frames']} "
        f"pictures of each. Mean drop over the seven kinds "
        f"{interval(lost['value'], lost['interval'])}. By the codecs' ladder {ladder} real clips "
        f"became suspect. Clean, a scan calls {_said(clean, 'suspect')} suspect (real + fake), "
        f"{_said(clean, 'no_evidence')} `no_evidence`, and judges no face of "
        f"{_said(clean, 'not_judged')}.", "",
    ]  # fmt: skip
    for head, levels, rows in distorted_grids(result):
        lines += [f"| {head} | {' | '.join(levels)} |", "|---" * (len(levels) + 1) + "|"]
        lines += [*(f"| {' | '.join(row)} |" for row in rows), ""]
    return [*lines, *bar_lines(result)]


def localised(result: Result) -> list[tuple[str, str, str]]:
    """Return what was measured, n, and the figure with its interval."""
    return [
        (name, str(block["n"]),
         "-" if block[key] is None else interval(block[key], block["interval"]))
        for name, block, key in (
            ("pixel average precision", result["pixel"], "ap"),
            ("the same for a guess that marks the whole face", result["pixel_of_a_guess"], "ap"),
            ("swapped person of two right", result["person"], "share"),
            ("part-swapped clips, F1 at tIoU .5", result["seconds"], "f1"),
        )
    ]  # fmt: skip


@figures("localisation", of="localisation", optional=True)
def _localisation(result: Result) -> list[str]:
    lines = ["| what | n | measured [95 %] |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in localised(result)]
    return [*lines, "", *bar_lines(result)]


@figures("sets", of="sets", optional=True)
def _sets(result: Result) -> list[str]:
    clean = result["clean"]
    probes = ", ".join(
        f"{name} {interval(found['auc'], found['interval'])}"
        for name, found in clean["probes"].items()
        if found["auc"] is not None
    )
    lines = ["| planted fault | planted | caught [95 %] |", "|---|---|---|"]
    for row in result["planted"]:
        low, high = row["interval"]
        lines.append(
            f"| {row['kind']} | {row['planted']} | {row['caught']} [{low:.2f}, {high:.2f}] |"
        )
    made = (
        f"{result['clips']} clips of {result['seconds_each']:g} seconds of {result['people']} "
        f"people in {result['wall_seconds'] / 60:.1f} minutes with {result['workers']} processes "
        f"({result['under']}), seed {result.get('seed', 8)}. Made again with a kill after "
        f"{result['killed_after_pairs']} pairs: "
        f"{result['same_frame_hashes']} of {result['clips']} clips with the same pictures, "
        f"{'the same' if result['same_manifest'] else 'another'} manifest. The clean set is "
        f"{clean['outcome']}; AUC of the shortcut probes: {probes or 'too few to tell'}."
    )
    return [made, "", *lines, "", *bar_lines(result)]


@figures("ablation", of="ablation", optional=True)
def _ablation(result: Result) -> list[str]:
    found = result["selection"]
    lines = ["| detectors | AUC [95 %] | real + fake clips | people |", "|---|---|---|---|"]
    rows = {f"{name} alone": part for name, part in found["alone"].items()}
    rows |= {" + ".join(found["chosen"]): found["together"], "all": found["everything"]}
    for name, part in rows.items():
        auc = interval(part["auc"], part["auc_interval"])
        lines.append(f"| {name} | {auc} | {part['n_real']} + {part['n_fake']} | {part['groups']} |")
    lines += ["", "| on top of | detector | gain in AUC [95 %] | |", "|---|---|---|---|"]
    for step in found["steps"]:
        for name, gain in step["tried"].items():
            told = interval(gain["gain"], (gain["low"], gain["high"]))
            kept = "kept" if name == step["added"] else ""
            lines.append(f"| {' + '.join(step['to'])} | {name} | {told} | {kept} |")
    return lines


@figures("recipe", of="recipe", optional=True)
def _recipe(result: Result) -> list[str]:
    rows = result["trainings"]
    scenes = list(rows[0]["scenes"])
    heads = ("without", "AUC [95 %]", *scenes, "what the step buys [95 %]")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        bought = row["bought"]
        ends = None if bought is None else (bought["low"], bought["high"])
        cells = [row["without"], interval(row["auc"], row["auc_interval"])]
        cells += [f"{row['scenes'][scene]:.3f}" for scene in scenes]
        cells.append("" if bought is None else interval(bought["gain"], ends))
        lines.append(f"| {' | '.join(cells)} |")
    n = f"{rows[0]['n_real']} + {rows[0]['n_fake']} clips of {rows[0]['groups']} people"
    return [*lines, "", f"{n}; {result['pairs']} pairs for each training, {result['side']} px."]


@figures("inputs", of="inputs", optional=True)
def _inputs(result: Result) -> list[str]:
    lines: list[str] = []
    for name, title in (("clips", "clips of validation people"), ("crops", "studied DFDC crops")):
        rows = result.get(name, ())
        if rows:
            first = rows[0]
            lines += [
                f"| {title}, without | AUC [95 %] | what the step buys [95 %] |", "|---|---|---|"
            ]
            for row in rows:
                bought = row["bought"]
                told = "" if bought is None else interval(
                    bought["gain"], (bought["low"], bought["high"])
                )
                auc = interval(row["auc"], row["auc_interval"])
                lines.append(f"| {row['without']} | {auc} | {told} |")
            lines += ["", f"{first['n_real']} + {first['n_fake']} {title}, {first['groups']} "
                      "groups; `blend` alone.", ""]  # fmt: skip
    if bands := result.get("bands"):
        lines += [
            "| mean grey level | real + fake | AUC as they are | brought to the usual "
            "| false alarms as they are | brought to the usual |", "|---" * 6 + "|",
        ]
        for band in bands:
            plain, evened = band["none"], band["all"]
            cells = [f"{band['from']:.0f} to {band['to']:.0f}",
                     f"{plain['n_real']} + {plain['n_fake']}"]
            cells += [interval(part["auc"], part["auc_interval"]) for part in (plain, evened)]
            cells += [f"{part['false_alarms']} of {part['n_real']}" for part in (plain, evened)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


@figures("promises", of="accuracy", also=tuple(SOURCES))
def _promises(results: Result) -> list[str]:
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    return [*lines, *(f"| {' | '.join(promise.cells())} |" for promise in promises(results))]


@figures("held-out", of="held-out", optional=True)
def _held_out(result: Result) -> list[str]:
    lines = ["| scenes, by group | real + fake | AUC [95 %] | ECE | Cllr (least) |",
             "|---|---|---|---|---|"]  # fmt: skip
    for name, block in {"all": result["group"], **result["scenes"]}.items():
        lines.append(
            f"| {name} | {block['n_real']} + {block['n_fake']} | "
            f"{interval(block['auc'], block['auc_interval'])} | "
            f"{block['ece_prior_matched']:.3f} | {block['cllr']:.3f} ({block['cllr_min']:.3f}) |"
        )
    lines += ["", "| family | AUC [95 %] | left out of the fit | fakes |", "|---|---|---|---|"]
    for row in result["families"]:
        seen, unseen = (
            interval(row[key]["auc"], row[key]["auc_interval"]) for key in ("seen", "left_out")
        )
        lines.append(f"| {row['family']} | {seen} | {unseen} | {row['seen']['n_fake']} |")
    said = (
        f"Detectors: {', '.join(result['detectors'])}. {result['unusable']} clips without a face "
        "that can be judged are not counted."
    )
    if chance := result.get("floor"):
        ece, gap = (interval(chance[k]["mean"], chance[k]["interval"]) for k in ("ece", "cllr_gap"))
        said += (
            f" By clip, a perfectly calibrated score of the same spread would show an ECE of {ece} "
            f"and a Cllr {gap} above its least on as many clips, by chance alone."
        )
    return [*lines, "", said]
