// The inbox: what came in, how far it is, and what still needs a person.

import { api } from "./api.js";
import { h } from "./dom.js";
import { percent, t, when } from "./i18n.js";
import { dropZone, setLimit } from "./upload.js";

const PAGE = 50;
const POLL = 800;
const SORTS = ["-created", "created", "-probability", "probability", "name"];
const VERDICTS = ["suspect", "inconclusive", "no_evidence"];
const DECISIONS = ["open", "second_reader", "disagreement", "confirmed", "rejected", "unsure"];
const SIGNS = { suspect: "▲", inconclusive: "◆", no_evidence: "●" };

const OUTCOMES = ["noncompliant", "inconclusive"];

const chosen = { sort: "-created", verdict: "", decision: "", outcome: "", q: "", offset: 0 };

export const badge = (label) => h("span", { class: `badge ${label}` }, `${SIGNS[label]} ${t(`verdict_${label}`)}`);

function state(item) {
  if (item.state === "done") return item.verdict ? badge(item.verdict) : t("state_done");
  if (item.state === "queued") return t("state_queued");
  const [seen, planned] = item.progress ?? [0, null];
  return [h("progress", { max: planned || 1, value: planned ? seen : null, "aria-label": t("scanning", { name: item.name }) }),
    " ", h("span", { class: "soft" }, planned ? `${seen}/${planned}` : t("state_running"))];
}

function row(item) {
  return h("tr", null,
    h("td", { "data-label": t("file") }, h("a", { href: `#/case/${item.id}`, class: "name", title: item.path }, item.name)),
    h("td", { "data-label": t("verdict") }, state(item)),
    h("td", { "data-label": t("declared_short") }, item.declaration && item.declaration !== "none" ? t(`says_${item.declaration}`) : ""),
    h("td", { "data-label": t("probability"), class: "number" }, item.state === "done" ? percent(item.probability) : ""),
    h("td", { "data-label": t("review") }, item.state === "done" ? t(`decision_${item.decision}`) : ""),
    h("td", { "data-label": t("received"), class: "soft" }, when(item.created)));
}

function select(name, label, values, texts, redraw) {
  return h("label", null, label, " ", h("select", {
    name, onchange: (event) => { chosen[name] = event.target.value; chosen.offset = 0; redraw(); },
  }, values.map((value) => h("option", { value, selected: chosen[name] === value }, texts(value)))));
}

export async function show(main, _rest, failure) {
  let timer = null, open = true, turn = 0;
  const body = h("tbody"), status = h("p", { class: "soft", id: "count", role: "status" }), batch = h("div", { class: "batch" });
  const pages = h("p", { class: "pages" });

  async function refresh() {
    const mine = ++turn;
    clearTimeout(timer);
    const query = new URLSearchParams({ limit: PAGE, offset: chosen.offset, sort: chosen.sort });
    for (const name of ["verdict", "decision", "outcome", "q"]) if (chosen[name]) query.set(name, chosen[name]);
    let data;
    try { data = await api(`cases?${query}`); } catch (error) {
      if (open && mine === turn) { if (error.status === 401) failure(error); else { status.textContent = error.message; timer = setTimeout(refresh, 4 * POLL); } }
      return;
    }
    if (!open || mine !== turn) return;
    if (!(body.contains(document.activeElement) && document.activeElement !== document.body)) body.replaceChildren(...data.items.map(row));
    else data.items.forEach((item, place) => { if (body.rows[place]) [...row(item).cells].forEach((cell, n) => { if (n) body.rows[place].cells[n].replaceWith(cell); }); });
    const waiting = (data.counts.queued ?? 0) + (data.counts.running ?? 0);
    status.textContent = t("count", { shown: data.items.length, total: data.total });
    if (!data.items.length) body.replaceChildren(h("tr", null, h("td", { colSpan: 6, class: "soft" }, t(data.total_all ? "nothing_matches" : "empty"))));
    batch.replaceChildren(...progress(data));
    const last = chosen.offset + PAGE >= data.total;
    pages.replaceChildren(...(data.total > PAGE ? [
      h("button", { type: "button", disabled: chosen.offset === 0, onclick: () => { chosen.offset = Math.max(0, chosen.offset - PAGE); refresh(); } }, t("earlier")), " ",
      h("button", { type: "button", disabled: last, onclick: () => { chosen.offset += PAGE; refresh(); } }, t("later"))] : []));
    if (waiting) timer = setTimeout(refresh, POLL);
  }

  function progress(data) {
    const waiting = (data.counts.queued ?? 0) + (data.counts.running ?? 0);
    const own = Math.min(data.batch.waiting, waiting), total = Math.max(data.batch.total, own);
    return [own > 0 && h("label", null, t("batch", { done: total - own, total }), " ", h("progress", { max: total, value: total - own })),
      waiting > own && h("p", { class: "soft" }, t("batch_elsewhere", { n: waiting - own }))].filter(Boolean);
  }

  const about = await api("about");
  setLimit(about.limits.max_upload);
  const search = h("input", { type: "search", value: chosen.q, oninput: () => { chosen.q = search.value; chosen.offset = 0; clearTimeout(timer); timer = setTimeout(refresh, 250); } });
  const columns = ["file", "verdict", "declared_short", "probability", "review", "received"];
  main.replaceChildren(
    h("h1", null, t("nav_inbox")),
    h("section", { class: "card", "aria-label": t("drop") }, dropZone(refresh, about.policies)),
    h("section", { class: "card" },
      h("div", { class: "filters" },
        h("label", null, t("search"), " ", search),
        select("verdict", t("verdict"), ["", ...VERDICTS], (v) => v ? t(`verdict_${v}`) : t("all"), refresh),
        select("decision", t("review"), ["", ...DECISIONS], (v) => v ? t(`decision_${v}`) : t("all"), refresh),
        select("outcome", t("rules"), ["", ...OUTCOMES], (v) => v ? t(`some_${v}`) : t("all"), refresh),
        select("sort", t("sort"), SORTS, (v) => t(`sort_${v}`), refresh)),
      batch, status,
      h("table", { class: "inbox" }, h("caption", { class: "away" }, t("nav_inbox")), h("thead", null, h("tr", null, columns.map((name) => h("th", { scope: "col" }, t(name))))), body),
      pages),
    h("p", { class: "soft" }, t("scope_short")));
  await refresh();
  return () => { open = false; clearTimeout(timer); };
}
