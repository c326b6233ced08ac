// What leaves the desk: signed JSON, a page, a PDF; and the case's own end.

import { api } from "./api.js";
import { h, store } from "./dom.js";
import { language, t, when } from "./i18n.js";

export async function show(body, item) {
  const base = `/v1/scans/${encodeURIComponent(item.id)}`;
  const files = [["report.json", item.sealed ? "json" : "plain"], ["case.jws", "jws"], item.sealed && ["report.html", "html"], [`report.pdf?lang=${language}`, "pdf"]].filter(Boolean);
  const again = h("button", { type: "button", disabled: !item.here, onclick: async () => {
    try {
      await api(`scans/${encodeURIComponent(item.id)}/rescan`, { method: "POST" });
      location.hash = `#/case/${item.id}`;
    } catch (error) { problem.textContent = error.message; }
  } }, t("rescan"));
  const problem = h("p", { role: "alert", class: "problem" });
  const remove = h("button", { type: "button", class: "danger", onclick: async () => {
    if (!confirm(t("delete_sure"))) return;
    try {
      await api(`scans/${encodeURIComponent(item.id)}?by=${encodeURIComponent(store("reviewer") ?? "")}`, { method: "DELETE" });
      location.hash = "#/inbox";
    } catch (error) { problem.textContent = error.message; }
  } }, t("delete"));
  body.replaceChildren(
    h("section", { class: "card" }, h("h2", null, t("tab_export")),
      h("ul", { class: "files" }, files.map(([name, key]) => h("li", null, h("a", { href: `${base}/${name}`, download: true, class: "button" }, t(`export_${key}`)), " ", h("span", { class: "soft" }, t(`export_${key}_note`))))),
      h("p", null, t("verify_how")), h("pre", { tabindex: "0" }, `forensics verify ${item.id}.json --media "${item.name.replaceAll('"', "")}" --key report.pub.pem`),
      h("p", null, h("a", { href: "/v1/key", download: true }, t("public_key")))),
    h("section", { class: "card" }, h("h2", null, t("calibration")), h("p", null, t("calibration_note")),
      h("p", null, h("a", { href: "/v1/reviews/export", download: true, class: "button" }, t("calibration_get")))),
    h("section", { class: "card" }, h("h2", null, t("rescan")), h("p", null, t(item.here ? "rescan_note" : "rescan_gone")), again),
    h("section", { class: "card" }, h("h2", null, t("delete")), h("p", null, t(item.own ? "delete_note" : "delete_note_batch")),
      item.expires && h("p", { class: "soft" }, t("expires", { time: when(item.expires) })), problem, remove));
}
