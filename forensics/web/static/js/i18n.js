// Texts by language. English comes with the page; the other dictionary is fetched when chosen.

import en from "./en.js";
import { store } from "./dom.js";

const OTHERS = { zh: () => import("./zh.js") };
export const LANGUAGES = { en: "English", zh: "中文" };

let words = en;
export let language = "en";

export function preferred() {
  const kept = store("language");
  if (kept in LANGUAGES) return kept;
  return (navigator.language ?? "").toLowerCase().startsWith("zh") ? "zh" : "en";
}

export async function choose(name) {
  words = name === "en" ? en : { ...en, ...(await OTHERS[name]()).default };
  language = name;
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
}

// The text called `key`, with {names} replaced; an unknown key shows itself.
export function t(key, values) {
  const text = words[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : text;
}

export const has = (key) => key in words;

export function percent(share) {
  if (share === null || share === undefined) return t("not_stated");
  if (share < 0.01) return t("under_1");
  return share > 0.99 ? t("over_99") : `${Math.round(100 * share)} %`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let value = count, unit = 0;
  while (value >= 1000 && unit < 3) { value /= 1000; unit += 1; }
  return `${value.toFixed(unit && value < 10 ? 1 : 0)} ${units[unit]}`;
}

export const clock = (seconds) => {
  const whole = Math.max(0, seconds);
  const minutes = Math.floor(whole / 60);
  return `${minutes}:${(whole - 60 * minutes).toFixed(1).padStart(4, "0")}`;
};

export const when = (text) => text ? new Date(text).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "short" }) : "";
