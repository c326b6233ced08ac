// What the file says of itself, and what the rules make of it. Neither touches the verdict.

import { card } from "./evidence.js";
import { h } from "./dom.js";
import { has, language, t } from "./i18n.js";

export const word = (prefix, name) => has(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : name.replaceAll("_", " ");

const GRAVITY = ["noncompliant", "inconclusive", "compliant", "not_found"];

export function provenance(item, report) {
  const said = report.declaration;
  const rows = [["declares", word("status", said.status)]];
  if (said.by.length) rows.push(["found_in", said.by.join(", ")]);
  if (said.status !== "none") rows.push(["integrity", word("integrity", said.integrity)], ["signer", word("trust", said.signer_trust)], ["stamp", word("trust", said.timestamp_trust)]);
  if (said.codes.length) rows.push(["c2pa_codes", h("details", null, h("summary", null, t("codes_count", { n: said.codes.length })), said.codes.map((code) => [h("code", null, code), " "]))]);
  const facts = report.evidence.map((fact, number) => [fact, number]).filter(([fact]) => fact.source === "provenance").slice(0, 30);
  return h("section", { class: "card", "aria-labelledby": "provenance-title" }, h("h2", { id: "provenance-title" }, t("provenance")),
    h("p", { class: "soft" }, t("prov_note")),
    h("dl", null, rows.map(([name, text]) => [h("dt", null, t(`prov_${name}`)), h("dd", null, text)])),
    facts.length > 0 && h("div", { class: "cards" }, facts.map(([fact, number]) => card(fact, number, item))));
}

function byPlace(findings) {
  const places = new Map();
  for (const item of findings) places.set(item.jurisdiction, [...places.get(item.jurisdiction) ?? [], item]);
  return [...places];
}

// "1 not met, 6 cannot be told, ..." of each jurisdiction.
export const counts = (report) => byPlace(report.findings).map(([place, items]) => h("li", null, h("strong", null, word("place", place || "general")), ": ",
  GRAVITY.map((outcome) => [outcome, items.filter((item) => item.outcome === outcome).length]).filter(([, n]) => n)
    .map(([outcome, n], place_) => [place_ ? ", " : "", h("span", { class: outcome }, `${word("outcome", outcome)} ${n}`)])));

export const todo = (report, catalogue) => report.actions.map((code) => h("li", null, catalogue.actions[code]?.[language] ?? code.replaceAll("_", " ")));

function table(items, catalogue, label) {
  const known = Object.fromEntries(catalogue.rules.map((rule) => [rule.id, rule]));
  const link = (n) => h("a", { href: `#evidence-${n}`, onclick: (event) => {
    event.preventDefault();
    const target = document.getElementById(`evidence-${n}`);
    target?.scrollIntoView({ block: "center" });
    target?.focus();
  } }, `#${n + 1}`);
  const rows = items.map((item) => h("tr", { class: item.outcome },
    h("th", { scope: "row" }, h("code", null, item.rule), known[item.rule] && h("div", { class: "soft" }, known[item.rule].article)),
    h("td", null, known[item.rule]?.title[language] ?? "", known[item.rule]?.verified === false && h("div", { class: "soft" }, t("unverified"))),
    h("td", null, h("strong", null, word("outcome", item.outcome)), ["noncompliant", "inconclusive"].includes(item.outcome) && ` (${word("severity", item.severity)})`),
    h("td", null, item.message[language] ?? item.message.en ?? ""),
    h("td", null, item.evidence.map((n) => [link(n), " "]))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "rules" }, h("caption", { class: "away" }, label),
    h("thead", null, h("tr", null, ["rule", "asks", "outcome", "meaning", "evidence"].map((name) => h("th", { scope: "col" }, t(`rules_${name}`))))), h("tbody", null, rows)));
}

export function rules(report, catalogue) {
  const places = byPlace(report.findings).map(([place, found]) => {
    const items = found.sort((a, b) => GRAVITY.indexOf(a.outcome) - GRAVITY.indexOf(b.outcome));
    const name = word("place", place || "general");
    const silent = items.filter((item) => item.outcome === "not_found"), said = items.filter((item) => item.outcome !== "not_found");
    return [h("h3", null, name), said.length > 0 && table(said, catalogue, `${t("rules")}: ${name}`),
      silent.length > 0 && h("details", null, h("summary", null, t("rules_silent", { n: silent.length })), table(silent, catalogue, `${t("rules")}: ${name}, ${t("outcome_not_found")}`))];
  });
  return h("section", { class: "card", id: "rules", "aria-labelledby": "rules-title" }, h("h2", { id: "rules-title", tabindex: "-1" }, t("rules")),
    places.length ? places : h("p", null, t("no_rules")), h("p", { class: "soft" }, t("rules_note")));
}
