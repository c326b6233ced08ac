// Scores over time, one lane a face. A click seeks; so do the arrow keys.

import { h, s } from "./dom.js";
import { clock, t } from "./i18n.js";

const HEIGHT = 96, LEFT = 34, RIGHT = 8, TOP = 8, BOTTOM = 20;

// Runs of judged pictures: a gap of over three median steps was not judged.
export function runs(scores) {
  const steps = scores.slice(1).map((item, n) => item.pts - scores[n].pts).sort((a, b) => a - b);
  const longest = steps.length ? 3 * steps[steps.length >> 1] : Infinity;
  const found = [];
  let run = [];
  for (const item of scores) {
    if (item.score === null || (run.length && item.pts - run[run.length - 1].pts > longest)) { if (run.length) found.push(run); run = []; }
    if (item.score !== null) run.push(item);
  }
  if (run.length) found.push(run);
  return found;
}

function ticks(end) {
  const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  const step = steps.find((one) => end / one <= (innerWidth < 640 ? 4 : 8)) ?? 7200;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, n) => n * step);
}

function lane(track, end, threshold, player) {
  const WIDTH = innerWidth < 640 ? 360 : 720; // letters keep their size on a phone
  const x = (pts) => LEFT + pts / end * (WIDTH - LEFT - RIGHT);
  const y = (score) => HEIGHT - BOTTOM - score * (HEIGHT - TOP - BOTTOM);
  const judged = track.scores.filter((item) => item.score !== null);
  const head = s("line", { class: "playhead", y1: TOP, y2: HEIGHT - BOTTOM, x1: x(0), x2: x(0) });
  const parts = [s("rect", { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM, class: "gap" })];
  for (const run of track.abstained ? [] : runs(track.scores)) {
    const left = x(run[0].pts) - 2, right = x(run[run.length - 1].pts) + 2;
    parts.push(s("rect", { x: left, y: TOP, width: right - left, height: HEIGHT - TOP - BOTTOM, class: "judged" }));
    parts.push(s("polyline", { points: run.map((item) => `${x(item.pts)},${y(item.score)}`).join(" "), class: "curve" }));
  }
  for (const [value, text] of [[0, "0"], [1, "1"]]) parts.push(s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  parts.push(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(threshold), y2: y(threshold), class: "limit" }));
  for (const item of judged) parts.push(s("circle", { cx: x(item.pts), cy: y(item.score), r: 2.8, class: item.score >= threshold ? "dot hot" : "dot" }));
  for (const time of ticks(end)) parts.push(s("text", { x: x(time), y: HEIGHT - 5, "text-anchor": time > 0.98 * end ? "end" : "middle" }, end < 4 ? time.toFixed(1) : clock(time).replace(/\.0$/, "")));
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "lane", "aria-hidden": "true" }, parts, head);

  let now = 0;
  const words = () => {
    const near = judged.length ? judged.reduce((best, item) => Math.abs(item.pts - now) < Math.abs(best.pts - now) ? item : best) : null;
    const score = near && Math.abs(near.pts - now) < 1 ? t("score_is", { score: near.score.toFixed(2) }) : t("not_judged");
    return `${clock(now)}, ${score}`;
  };
  const slider = h("div", {
    class: "seek", role: "slider", tabindex: "0", "aria-label": t("timeline_of", { n: track.id }), "aria-valuemin": "0", "aria-valuemax": end.toFixed(2), "aria-valuenow": now.toFixed(2), "aria-valuetext": words(),
    onclick: (event) => {
      const frame = svg.getBoundingClientRect();
      const at = (event.clientX - frame.left) / frame.width * WIDTH;
      player.seek(Math.min(end, Math.max(0, (at - LEFT) / (WIDTH - LEFT - RIGHT) * end)));
    },
    onkeydown: (event) => {
      const times = track.scores.map((item) => item.pts);
      const to = { ArrowRight: times.find((time) => time > now + 0.01), ArrowLeft: times.filter((time) => time < now - 0.01).pop(),
        Home: 0, End: end, PageDown: Math.max(0, now - end / 10), PageUp: Math.min(end, now + end / 10) }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      player.seek(to);
    },
  }, svg);
  player.onTime((time) => {
    now = Math.min(end, time);
    head.setAttribute("x1", x(now));
    head.setAttribute("x2", x(now));
    slider.setAttribute("aria-valuenow", now.toFixed(2));
    slider.setAttribute("aria-valuetext", words());
  });
  const worst = judged.reduce((best, item) => best === null || item.score > best.score ? item : best, null);
  return h("div", { class: "track" },
    h("h3", null, t("face_n", { n: track.id }), " ", h("span", { class: "soft" }, `${clock(track.span[0])} – ${clock(track.span[1])}`)),
    slider,
    track.abstained ? h("p", { class: "soft" }, t("track_silent"))
      : worst && h("p", null, h("button", { type: "button", class: "small", onclick: () => player.seek(worst.pts) }, t("to_worst", { time: clock(worst.pts), score: worst.score.toFixed(2) }))));
}

export function timelines(report, player) {
  if (player.still || !report.tracks.length) return h("section", { class: "card" }, h("h2", null, t("faces")), h("p", null, t(report.tracks.length ? "one_picture" : "no_tracks")));
  const end = Math.max(report.file.duration ?? 0, ...report.tracks.map((track) => track.span[1]), 0.1);
  const threshold = report.environment.config.score_threshold ?? 0.5;
  return h("section", { class: "card", "aria-labelledby": "lanes" }, h("h2", { id: "lanes" }, t("timeline")),
    h("p", { class: "soft" }, t("timeline_note", { threshold: threshold.toFixed(2) })),
    report.tracks.map((track) => lane(track, end, threshold, player)));
}
