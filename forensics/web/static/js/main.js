// The frame around every view: navigation, language, light and dark, signing in, routing.

import { ApiError, api } from "./api.js";
import { h, store } from "./dom.js";
import { LANGUAGES, choose, language, preferred, t } from "./i18n.js";
import * as inbox from "./inbox.js";

const VIEWS = {
  inbox: async () => inbox,
  case: () => import("./case.js"),
  about: () => import("./about.js"),
};
const THEMES = ["auto", "light", "dark"];

const main = h("main", { id: "main", tabindex: "-1" });
let leave = null;
let shown = 0;

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

function frame() {
  const current = location.hash.split("/")[1] || "inbox";
  const link = (name) => h("a", { href: `#/${name}`, "aria-current": current === name ? "page" : null }, t(`nav_${name}`));
  const languages = Object.entries(LANGUAGES).map(([name, label]) => h("button", {
    type: "button", class: "plain", lang: name, "aria-pressed": String(language === name),
    onclick: async () => { store("language", name); await choose(name); draw(); },
  }, label));
  const themes = h("select", {
    "aria-label": t("theme"),
    onchange: (event) => { store("theme", event.target.value); theme(event.target.value); },
  }, THEMES.map((name) => h("option", { value: name, selected: (store("theme") ?? "auto") === name }, t(`theme_${name}`))));
  return [
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip")),
    h("header", { class: "top" },
      h("strong", null, t("title")),
      h("nav", { "aria-label": t("nav") }, link("inbox"), link("about")),
      h("div", { class: "tools" }, h("div", { role: "group", "aria-label": t("language") }, languages), themes)),
    main,
  ];
}

function signIn() {
  const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const problem = h("p", { role: "alert", class: "problem" });
  const form = h("form", {
    class: "card narrow",
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await api("session", { method: "POST", body: { token: field.value } });
        draw();
      } catch (error) { problem.textContent = error.message; field.focus(); }
    },
  }, h("h1", null, t("sign_in")), h("p", null, t("sign_in_why")),
  h("label", { for: "token" }, t("token")), field, problem, h("button", { type: "submit" }, t("sign_in")));
  main.replaceChildren(form);
  field.focus();
}

export function failure(error) {
  if (error instanceof ApiError && error.status === 401) { signIn(); return; }
  main.replaceChildren(h("div", { class: "card problem", role: "alert" }, h("h1", null, t("failed")), h("p", null, error.message),
    h("p", null, h("a", { href: "#/inbox" }, t("nav_inbox")))));
}

async function draw() {
  const turn = ++shown;
  leave?.();
  leave = null;
  delete document.documentElement.dataset.ready;
  document.title = t("title");
  document.body.replaceChildren(...frame());
  const [, name = "inbox", ...rest] = location.hash.split("/");
  try {
    const view = await (VIEWS[name] ?? VIEWS.inbox)();
    if (turn !== shown) return;
    leave = await view.show(main, rest, failure);
    if (turn !== shown) { leave?.(); return; }
    if (name !== "case") document.documentElement.dataset.ready = name || "inbox"; // a case says so once it is scanned
  } catch (error) {
    if (turn === shown) failure(error);
  }
}

addEventListener("hashchange", () => { draw(); main.focus({ preventScroll: true }); scrollTo(0, 0); });
theme(store("theme") ?? "auto");
await choose(preferred());
await draw();
