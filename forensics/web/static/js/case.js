// One case: what was found, the review, the export. While it is scanned, its progress.

import { api } from "./api.js";
import { badge } from "./inbox.js";
import { h } from "./dom.js";
import { bytes, clock, language, percent, t, when } from "./i18n.js";
import { evidence, quality, reason } from "./evidence.js";
import { makePlayer } from "./player.js";
import { counts, provenance, rules, todo, word } from "./provenance.js";
import { timelines } from "./timeline.js";

const POLL = 600;
const TABS = { "": "tab_findings", review: "tab_review", export: "tab_export" };

// A weak measurement differs from having none, and an audit looks at no picture.
const title = (verdict) => verdict.label !== "inconclusive" ? verdict.label : verdict.probability !== null ? "weak"
  : verdict.reasons.includes("not_examined") ? "audited" : "inconclusive";

function verdictCard(report) {
  const { verdict } = report;
  const chance = verdict.probability === null ? h("p", null, t("no_probability")) : [
    h("p", { class: "chance" }, t("probability"), " ", h("strong", null, percent(verdict.probability)),
      verdict.interval && ` (${t("interval", { low: percent(verdict.interval[0]), high: percent(verdict.interval[1]) })})`),
    h("p", { class: "soft" }, t("prior", { prior: percent(verdict.prior) }))];
  const rate = report.environment.error_rate;
  return h("section", { class: `card verdict ${verdict.label}`, "aria-labelledby": "verdict-title" },
    h("h2", { id: "verdict-title" }, badge(verdict.label), " ", t(`title_${title(verdict)}`)),
    report.error && h("p", { class: "problem" }, h("strong", null, t("cause")), " ", report.error),
    chance,
    verdict.reasons.length > 0 && h("ul", null, verdict.reasons.map(reason)),
    rate && h("p", { class: "soft" }, t("rate", { fa: rate.false_alarms, real: rate.real_clips, tp: rate.found, fake: rate.fake_clips })),
    h("p", { class: "limits" }, h("strong", null, t("not_proven")), " ", t(`limits_${verdict.label}`)));
}

// What a reviewer needs before reading on: who was judged, what the file claims, what to do.
function glance(report, item, catalogue) {
  const judged = report.tracks.filter((track) => !track.abstained).length;
  const rules_ = counts(report), actions = todo(report, catalogue);
  return h("section", { class: "card", "aria-labelledby": "glance-title" }, h("h2", { id: "glance-title" }, t("glance")),
    h("dl", null, h("dt", null, t("faces")), h("dd", null, t("faces_judged", { judged, total: report.tracks.length })),
      h("dt", null, t("prov_declares")), h("dd", null, word("status", report.declaration.status)),
      rules_.length > 0 && [h("dt", null, t("rules")), h("dd", null, h("ul", { class: "bare" }, rules_))],
      h("dt", null, t("review")), h("dd", null, h("strong", null, t(`decision_${item.decision}`)), item.second_needed && h("div", { class: "soft" }, t("second_why")))),
    actions.length > 0 && [h("h3", null, t("actions")), h("ul", null, actions)],
    h("p", null, h("a", { href: `#/case/${item.id}/review`, class: "button" }, t("go_review"))));
}

function fileCard(report) {
  const file = report.file;
  const rows = [["sha256", file.sha256], ["size", file.bytes === null ? null : bytes(file.bytes)],
    ["pictures", file.size && `${file.size[0]} × ${file.size[1]}`], ["duration", file.kind === "video" && file.duration !== null ? clock(file.duration) : null],
    ["codec", file.codec && `${file.codec}, ${file.container}`], ["looked_at", report.environment.sampling.pictures]];
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return h("section", { class: "card" }, h("h2", null, t("the_file")),
    h("dl", null, known.map(([name, value]) => [h("dt", null, t(`fact_${name}`)), h("dd", null, name === "sha256" ? h("code", null, value) : value)])));
}

async function findings(item, report) {
  const catalogue = await api("policies");
  if (!report.file.size) return [h("div", { class: "pair" }, verdictCard(report), glance(report, item, catalogue)), provenance(item, report), rules(report, catalogue), fileCard(report)];
  const player = makePlayer(item, report);
  const chart = timelines(report, player);
  return [
    h("div", { class: "desk" },
      h("div", null, player.element, chart),
      h("div", { class: "side" }, verdictCard(report), glance(report, item, catalogue))),
    evidence(item, report, player),
    quality(report),
    provenance(item, report),
    rules(report, catalogue),
    fileCard(report),
  ];
}

export async function show(main, [id, tab = ""], failure) {
  let open = true, timer = null, leave = null;
  const place = `cases/${encodeURIComponent(id)}?lang=${language}`;

  function head(item) {
    const size = item.bytes === null ? "" : `${bytes(item.bytes)} · `;
    const like = [["same_as", item.same_as], ["same_stream", item.same_stream], ["near", item.near]].filter(([, other]) => other)
      .map(([key, other]) => h("p", null, t(key), " ", h("a", { href: `#/case/${other}` }, t("that_case"))));
    return [h("p", null, h("a", { href: "#/inbox" }, `← ${t("nav_inbox")}`)),
      h("h1", null, item.name), h("p", { class: "soft" }, `${size}${when(item.created)}`, item.path !== item.name && ` · ${item.path}`), like];
  }

  function waiting(item) {
    const [seen, planned] = item.progress ?? [0, null];
    const words = item.state === "queued" ? t("state_queued") : planned ? t("seen_of", { seen, planned }) : t("state_running");
    main.replaceChildren(...head(item).flat(), h("section", { class: "card" }, h("h2", null, t(`state_${item.state}`)),
      h("p", { role: "status" }, words), h("progress", { max: planned || 1, value: planned ? seen : null, "aria-label": t("scanning", { name: item.name }) })));
  }

  async function load() {
    let item;
    try { item = await api(place); } catch (error) { if (open) failure(error); return; }
    if (!open) return;
    if (item.state !== "done") { waiting(item); timer = setTimeout(load, POLL); return; }
    const tabs = h("nav", { class: "tabs", "aria-label": t("case") }, Object.entries(TABS).map(([name, key]) => h("a", {
      href: `#/case/${id}${name && `/${name}`}`, "aria-current": name === tab ? "page" : null }, t(key))));
    const body = h("div");
    main.replaceChildren(...head(item).flat(), tabs, body);
    document.title = `${item.name} · ${t("title")}`;
    if (tab === "review") leave = await (await import("./review.js")).show(body, item);
    else if (tab === "export") await (await import("./export.js")).show(body, item);
    else body.replaceChildren(...(await findings(item, item.report)).filter(Boolean));
    document.documentElement.dataset.ready = `case${tab && `-${tab}`}`;
  }

  await load();
  return () => { open = false; clearTimeout(timer); leave?.(); };
}
