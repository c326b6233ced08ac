// Evidence cards: what was measured, in plain words, with the pictures that stood out.

import { h } from "./dom.js";
import { clock, has, t } from "./i18n.js";

const QUALITY = { inter_ocular: (v) => `${v.toFixed(0)} px`, sharpness: (v) => v.toFixed(2), grain: (v) => v.toFixed(2), exposure: (v) => v.toFixed(2), yaw: (v) => `${v.toFixed(0)}°`,
  mesh_confidence: (v) => v.toFixed(2), occlusion: (v) => `${(100 * v).toFixed(0)} %`, usable_share: (v) => `${(100 * v).toFixed(0)} %`, crops: (v) => v.toFixed(0) };

export const reason = (code) => h("li", null, has(`reason_${code}`) ? t(`reason_${code}`) : t("reason_other", { code }));

function pictures(item, player) {
  if (!item.pictures.length) return null;
  const layers = [];
  const figures = item.pictures.map((picture) => {
    const base = `/v1/scans/${item.id}/evidence/${picture.n}`;
    const heat = picture.heat && h("img", { src: `${base}-heat.png`, class: "heat", alt: "", loading: "lazy" });
    if (heat) layers.push(heat);
    const time = player.still ? "" : clock(picture.pts);
    const words = t("picture_of", { n: picture.track_id, time, score: picture.score.toFixed(2) });
    return h("figure", null, h("div", { class: "layers" }, h("img", { src: `${base}.png`, alt: words, loading: "lazy" }), heat),
      h("figcaption", null, words, " ", !player.still && h("button", { type: "button", class: "small", onclick: () => { player.seek(picture.pts); player.element.scrollIntoView({ block: "nearest" }); } }, t("show_in_clip"))));
  });
  const slider = h("input", { type: "range", min: 0, max: 100, value: 60, id: "heat", oninput: () => paint() });
  const paint = () => { for (const layer of layers) layer.style.opacity = slider.value / 100; };
  paint();
  return [h("h3", null, t("pictures_title")),
    layers.length > 0 && h("p", null, h("label", { for: "heat" }, t("heat")), " ", slider),
    h("div", { class: "moments" }, figures), h("p", { class: "soft" }, t("heat_note"))];
}

// The server's words in this language, else the report's own, which are English.
const plain = (fact, said) => said ?? h("span", { lang: "en" }, fact.explanation || t("no_explanation"));

const value = (one) => one === null ? "–" : typeof one === "number" ? String(+one.toPrecision(4)) : typeof one === "object" ? JSON.stringify(one) : String(one);

export function card(fact, number, item) {
  const where = fact.track_id === null ? t("whole_file") : t("face_n", { n: fact.track_id });
  const span = fact.span[1] > fact.span[0] ? `, ${clock(fact.span[0])} – ${clock(fact.span[1])}` : "";
  const key = `kind_${fact.kind}`;
  return h("article", { class: "card inner", id: `evidence-${number}`, tabindex: "-1" },
    h("h3", null, `#${number + 1} `, has(key) ? t(key) : fact.kind.replaceAll("_", " ")),
    h("p", { class: "soft" }, `${where}${span} · ${t("measured_by", { source: fact.source })}`),
    h("p", null, plain(fact, item.explanations[number])),
    h("details", null, h("summary", null, t("values")),
      h("dl", null, Object.entries(fact.values).map(([name, one]) => [h("dt", null, name.replaceAll("_", " ")), h("dd", null, value(one))]),
        fact.llr !== null && [h("dt", null, t("llr")), h("dd", null, fact.llr.toFixed(2))])));
}

export function evidence(item, report, player) {
  const facts = report.evidence.map((fact, number) => [fact, number]).filter(([fact]) => fact.source !== "provenance").slice(0, 60);
  const cards = facts.map(([fact, number]) => card(fact, number, item));
  return h("section", { class: "card", "aria-labelledby": "evidence-title" }, h("h2", { id: "evidence-title" }, t("evidence")),
    pictures(item, player),
    cards.length ? h("div", { class: "cards" }, cards) : h("p", null, t("nothing_measured")));
}

export function quality(report) {
  if (!report.tracks.length) return null;
  return h("section", { class: "card" }, h("h2", null, t("quality")), h("p", { class: "soft" }, t("quality_note")),
    h("div", { class: "cards" }, report.tracks.map((track) => h("article", { class: "card inner" },
      h("h3", null, t("face_n", { n: track.id }), track.abstained && h("span", { class: "badge inconclusive" }, `◆ ${t("not_judged")}`)),
      track.reasons.length > 0 && h("ul", null, track.reasons.map(reason)),
      h("dl", null, Object.entries(QUALITY).filter(([name]) => typeof track.quality[name] === "number").map(([name, form]) => [
        h("dt", null, t(`quality_${name}`)), h("dd", null, form(track.quality[name]))]))))));
}
