// The decision: confirm, reject or unsure, with a note, under a name, into the custody log.

import { api } from "./api.js";
import { announce, h, store } from "./dom.js";
import { language, t, when } from "./i18n.js";
import { badge } from "./inbox.js";

const OPINIONS = ["confirm", "reject", "unsure"];

export async function show(body, item) {
  const id = encodeURIComponent(item.id);
  let statementLanguage = language;

  function history(reviews) {
    if (!reviews.length) return h("p", null, t("no_reviews"));
    return h("ol", { class: "reviews" }, reviews.map((one) => h("li", null, h("strong", null, one.reviewer), " · ", t(`said_${one.opinion}`), " · ",
      h("span", { class: "soft" }, when(one.time)), one.note && h("p", { class: "note" }, one.note))));
  }

  function form() {
    const name = h("input", { id: "reviewer", required: true, maxLength: 100, autocomplete: "name", value: store("reviewer") ?? "" });
    const note = h("textarea", { id: "note", rows: 3, maxLength: 4000 });
    const problem = h("p", { role: "alert", class: "problem" });
    const choices = OPINIONS.map((value) => h("label", { class: "choice" }, h("input", { type: "radio", name: "opinion", value, required: true }), " ",
      h("strong", null, t(`opinion_${value}`)), h("span", { class: "soft" }, ` ${t(`opinion_${value}_means`)}`)));
    return h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        problem.textContent = "";
        const opinion = new FormData(event.target).get("opinion");
        try {
          await api(`scans/${id}/reviews`, { method: "POST", body: { reviewer: name.value, opinion, note: note.value } });
          store("reviewer", name.value);
          item = await api(`cases/${id}`);
          await draw();
          announce(t("review_kept"));
          body.querySelector("h2").focus();
        } catch (error) { problem.textContent = error.message; }
      },
    }, h("fieldset", null, h("legend", null, t("your_decision")), choices),
    h("p", null, h("label", { for: "note" }, t("note")), note),
    h("p", null, h("label", { for: "reviewer" }, t("reviewer")), " ", name, h("span", { class: "soft" }, ` ${t("reviewer_note")}`)),
    problem, h("button", { type: "submit" }, t("keep_review")));
  }

  async function custody() {
    const lines = (await api(`scans/${id}/custody`)).lines;
    return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("custody") }, h("table", null, h("caption", { class: "away" }, t("custody")),
      h("thead", null, h("tr", null, ["line", "time", "event", "hash"].map((name) => h("th", { scope: "col" }, t(`log_${name}`))))),
      h("tbody", null, lines.map((line) => h("tr", null, h("td", null, line.line), h("td", null, when(line.time)),
        h("td", null, t(`event_${line.event}`), line.reviewer && `: ${line.reviewer}`, line.opinion && ` (${t(`said_${line.opinion}`)})`), h("td", null, h("code", null, line.hash.slice(0, 16), "…")))))));
  }

  async function statement() {
    const text = h("textarea", { id: "statement", rows: 20, lang: statementLanguage === "zh" ? "zh-CN" : "en" });
    text.value = await api(`scans/${id}/statement?lang=${statementLanguage}`);
    const choice = h("select", { "aria-label": t("statement_language"), onchange: async (event) => { statementLanguage = event.target.value; await draw(); } },
      [["en", "English"], ["zh", "中文"]].map(([value, label]) => h("option", { value, selected: value === statementLanguage }, label)));
    const save = h("button", { type: "button", onclick: () => {
      const url = URL.createObjectURL(new Blob([text.value], { type: "text/plain" }));
      h("a", { href: url, download: `statement-${item.id}.txt` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    } }, t("statement_save"));
    return [h("p", null, h("label", { for: "statement" }, t("statement_note")), " ", choice), text, h("p", null, save)];
  }

  // The most suspicious case that nobody has looked at yet.
  async function next() {
    const open = (await api("cases?decision=open&sort=-probability&limit=2")).items.find((one) => one.id !== item.id);
    return open && h("p", null, h("a", { href: `#/case/${open.id}` }, t("next_case", { name: open.name })));
  }

  async function draw() {
    const parts = await Promise.all([custody(), statement(), item.decision === "open" ? null : next()]);
    body.replaceChildren(
      h("section", { class: "card" }, h("h2", { tabindex: "-1" }, t("tab_review")),
        h("p", null, badge(item.verdict), " ", t("stands"), " ", h("strong", { id: "decision" }, t(`decision_${item.decision}`))),
        item.second_needed && h("p", { class: "soft" }, t("second_why")),
        parts[2], history(item.reviews), form()),
      h("section", { class: "card" }, h("h2", null, t("statement")), parts[1]),
      h("section", { class: "card" }, h("h2", null, t("custody")), h("p", { class: "soft" }, t("custody_note")), parts[0]));
  }

  await draw();
}
