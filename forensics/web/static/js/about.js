// What the loaded weights can do, measured; what a verdict does not prove; how this desk is set.

import { api } from "./api.js";
import { h } from "./dom.js";
import { bytes, t } from "./i18n.js";

const share = (value) => `${(100 * value).toFixed(1)} %`;

function rates(rate) {
  if (!rate) return h("p", null, t("no_rate"));
  const rows = [
    ["false_alarms", t("of", { n: rate.false_alarms, total: rate.real_clips }), share(rate.false_alarms / rate.real_clips), rate.fpr_interval],
    ["found", t("of", { n: rate.found, total: rate.fake_clips }), share(rate.found / rate.fake_clips), rate.tpr_interval],
    ["missed", t("of", { n: rate.fake_clips - rate.found, total: rate.fake_clips }), share(1 - rate.found / rate.fake_clips), rate.tpr_interval && [1 - rate.tpr_interval[1], 1 - rate.tpr_interval[0]]]];
  return [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("error_rates") }, h("table", null, h("caption", null, t("rate_caption")),
    h("thead", null, h("tr", null, ["what", "count", "share", "interval"].map((name) => h("th", { scope: "col" }, t(`rate_${name}`))))),
    h("tbody", null, rows.map(([name, count, value, interval]) => h("tr", null, h("th", { scope: "row" }, t(`rate_${name}`)), h("td", null, count), h("td", null, value),
      h("td", null, interval ? `${share(interval[0])} – ${share(interval[1])}` : t("not_stated"))))))),
  h("p", { class: "soft", lang: "en" }, `${rate.population}; ${rate.how}. AUC ${rate.auc.toFixed(3)}.`), h("p", null, t("rate_warning"))];
}

export async function show(main) {
  const facts = await api("about");
  const settings = [["version", facts.version], ["limit_bytes", bytes(facts.limits.max_upload)], ["limit_duration", `${facts.limits.max_duration / 60} min`],
    ["retention", facts.retention_days === null ? t("kept") : t("days", { n: facts.retention_days })], ["second", t(`second_${facts.second_reader}`)]];
  main.replaceChildren(h("h1", null, t("nav_about")),
    h("section", { class: "card" }, h("h2", null, t("error_rates")), rates(facts.error_rate)),
    h("section", { class: "card" }, h("h2", null, t("not_proven")), h("ul", null, ["suspect", "no_evidence", "inconclusive"].map((name) => h("li", null, h("strong", null, t(`verdict_${name}`)), " – ", t(`limits_${name}`)))),
      h("p", null, t("scope"))),
    h("section", { class: "card" }, h("h2", null, t("weights")), facts.detectors.map((one) => [h("h3", null, `${one.name} ${one.version}`), h("p", { lang: "en" }, one.summary),
      one.sha256 && h("p", null, h("code", null, one.sha256))])),
    h("section", { class: "card" }, h("h2", null, t("desk")), h("dl", null, settings.map(([name, value]) => [h("dt", null, t(`about_${name}`)), h("dd", null, value)])),
      h("p", null, h("a", { href: "/docs" }, t("api_docs")), " · ", h("a", { href: "/metrics" }, t("metrics")))));
}
