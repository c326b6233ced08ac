// The drop zone and the list of files on their way.

import { send } from "./api.js";
import { announce, h } from "./dom.js";
import { bytes, t } from "./i18n.js";

const AT_ONCE = 2;

// One queue for the whole page: it goes on while other views are open.
const waiting = [];
const rows = [];
let active = 0;
let changed = () => {};
let limit = Infinity;

function paint(item) {
  item.row.replaceChildren(
    h("span", { class: "name" }, item.file.name), h("span", { class: "soft" }, bytes(item.file.size)),
    item.error ? h("span", { class: "problem", role: "alert" }, item.error)
      : item.id ? h("a", { href: `#/case/${item.id}` }, t("uploaded"))
        : h("progress", { max: 1, value: item.sent, "aria-label": t("uploading", { name: item.file.name }) }));
}

async function next() {
  while (active < AT_ONCE && waiting.length) {
    const item = waiting.shift();
    active += 1;
    send(item.file, item.fields, (share) => { item.sent = share; paint(item); })
      .then((answer) => { item.id = answer.id; announce(t("uploaded_name", { name: item.file.name })); })
      .catch((error) => { item.error = error.message; })
      .finally(() => { active -= 1; paint(item); changed(); next(); });
  }
}

function take(files, fields) {
  for (const file of files) {
    const item = { file, fields, sent: 0, id: null, error: null, row: h("li") };
    rows.push(item);
    list.append(item.row);
    if (file.size > limit) item.error = t("too_large", { limit: bytes(limit) });
    else waiting.push(item);
    paint(item);
  }
  next();
}

const list = h("ul", { class: "uploads" });

export function dropZone(onChange, policies) {
  changed = onChange;
  for (const item of rows) paint(item);
  const declared = h("select", { id: "declared" }, ["unknown", "yes", "no"].map((value) => h("option", { value }, t(`declared_${value}`))));
  const rules = policies.map((name) => h("label", { class: "inline" }, h("input", { type: "checkbox", value: name, name: "policy" }), " ", t(`place_${name}`)));
  const full = h("input", { type: "checkbox", id: "full", checked: true });
  const fields = () => {
    const chosen = rules.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value);
    return { declared: declared.value, policy: chosen.join(","), level: full.checked ? "full" : "fast" };
  };
  const input = h("input", { type: "file", multiple: true, id: "files", onchange: () => { take([...input.files], fields()); input.value = ""; } });
  const zone = h("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); zone.classList.add("over"); },
    ondragleave: () => zone.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); zone.classList.remove("over"); take([...event.dataTransfer.files], fields()); },
  },
  h("p", null, h("label", { for: "files" }, h("strong", null, t("drop"))), " ", input),
  h("p", { class: "options" }, h("label", { for: "declared" }, t("declared")), " ", declared,
    rules.length > 0 && h("span", { role: "group", "aria-label": t("rules_to_apply") }, " ", t("rules_to_apply"), " ", rules), h("label", null, full, " ", t("level_full"))),
  h("p", { class: "soft" }, t("drop_note")));
  return [zone, list];
}

export const setLimit = (count) => { limit = count; };
