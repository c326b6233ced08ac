// What the file says of itself, and what the rules make of it. Neither touches the verdict.

import { h } from "./dom.js";
import { has, language, t } from "./i18n.js";

const word = (prefix, name) => has(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : name.replaceAll("_", " ");

export function provenance(report) {
  const said = report.declaration;
  const rows = [["declares", word("status", said.status)]];
  if (said.by.length) rows.push(["found_in", said.by.join(", ")]);
  if (said.status !== "none") rows.push(["integrity", word("integrity", said.integrity)], ["signer", word("trust", said.signer_trust)], ["stamp", word("trust", said.timestamp_trust)]);
  if (said.codes.length) rows.push(["c2pa_codes", h("span", null, said.codes.map((code) => [h("code", null, code), " "]))]);
  const facts = report.evidence.filter((fact) => fact.track_id === null);
  return h("section", { class: "card", "aria-labelledby": "provenance-title" }, h("h2", { id: "provenance-title" }, t("provenance")),
    h("dl", null, rows.map(([name, text]) => [h("dt", null, t(`prov_${name}`)), h("dd", null, text)])),
    facts.length > 0 && h("ul", null, facts.slice(0, 20).map((fact) => h("li", null, h("a", { href: `#evidence-${report.evidence.indexOf(fact)}`, onclick: (event) => {
      event.preventDefault(); document.getElementById(`evidence-${report.evidence.indexOf(fact)}`)?.scrollIntoView(); } }, word("kind", fact.kind)), " ", h("span", { lang: "en" }, fact.explanation)))),
    h("p", { class: "soft" }, t("prov_note")));
}

export function rules(report) {
  const rows = report.findings.map((item) => h("tr", { class: item.outcome },
    h("th", { scope: "row" }, item.rule), h("td", null, word("place", item.jurisdiction || "general")),
    h("td", null, h("strong", null, word("outcome", item.outcome)), item.severity !== "info" && ` (${word("severity", item.severity)})`),
    h("td", null, item.message[language] ?? item.message.en ?? "")));
  return h("section", { class: "card", "aria-labelledby": "rules-title" }, h("h2", { id: "rules-title" }, t("rules")),
    rows.length ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("rules") }, h("table", null, h("caption", { class: "away" }, t("rules")),
      h("thead", null, h("tr", null, ["rule", "where", "outcome", "meaning"].map((name) => h("th", { scope: "col" }, t(`rules_${name}`))))), h("tbody", null, rows)))
      : h("p", null, t("no_rules")),
    report.actions.length > 0 && [h("h3", null, t("actions")), h("ul", null, report.actions.map((code) => h("li", null, word("action", code))))],
    h("p", { class: "soft" }, t("rules_note")));
}
