// The clip with face boxes drawn in step with the picture. Solid: measured; dashed: in between.

import { api } from "./api.js";
import { h, s } from "./dom.js";
import { clock, t } from "./i18n.js";

const NEAR = 0.04; // seconds within which a measured box belongs to the shown picture
const POLL = 800;

// Where the face was at `time`: measured, or drawn between two pictures that are close enough.
export function boxAt(boxes, time, longest) {
  if (!boxes.length) return null;
  let low = 0, high = boxes.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (boxes[middle].pts <= time) low = middle; else high = middle - 1;
  }
  const before = boxes[low], after = boxes[low + 1];
  for (const item of [before, after]) if (item && Math.abs(item.pts - time) <= NEAR) return { box: item.box, measured: true };
  if (!after || before.pts > time || after.pts - before.pts > longest) return null;
  const share = (time - before.pts) / (after.pts - before.pts);
  return { box: before.box.map((edge, n) => edge + share * (after.box[n] - edge)), measured: false };
}

// Three times the usual step between pictures, within half a second and two seconds.
function longestStep(boxes) {
  const steps = boxes.slice(1).map((item, n) => item.pts - boxes[n].pts).sort((a, b) => a - b);
  return Math.min(2, Math.max(0.5, 3 * (steps[steps.length >> 1] ?? 0)));
}

// A reviewer starts at the most suspicious picture, else where the first face is seen.
function firstLook(tracks) {
  const scores = tracks.flatMap((track) => track.abstained ? [] : track.scores.filter((one) => one.score !== null));
  const worst = scores.reduce((best, one) => best === null || one.score > best.score ? one : best, null);
  return worst?.pts ?? tracks.flatMap((track) => track.boxes.slice(0, 1))[0]?.pts ?? 0;
}

// Just inside the picture that starts at `time`, so that rounding never shows the one before.
const inside = (time) => time + 0.001;

export function makePlayer(item, report) {
  const [width, height] = report.file.size;
  const still = report.file.kind === "image";
  const overlay = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "overlay", "aria-hidden": "true" });
  const note = h("p", { class: "soft", role: "status" });
  const badge = h("p", { class: "derived", hidden: true }, t("derived"));
  const stage = h("div", { class: "stage" });
  const listeners = [];
  const threshold = report.environment.config.score_threshold ?? 0.5;
  const tracks = report.tracks.map((track) => ({ ...track, boxes: track.boxes ?? [], step: longestStep(track.boxes ?? []) }));
  let media = null, derived = false, wanted = firstLook(tracks);
  // The moment a reviewer asked for stands until the clip goes elsewhere: events of an earlier
  // seek still come in, and the picture that shows a moment starts a little before it.
  let asked = null;

  function draw(time) {
    const parts = [];
    for (const track of tracks) {
      const found = still ? track.boxes[0] && { box: track.boxes[0].box, measured: true } : boxAt(track.boxes, time, track.step);
      if (!found) continue;
      const [left, top, right, bottom] = found.box;
      const near = track.scores.reduce((best, one) => best === null || Math.abs(one.pts - time) < Math.abs(best.pts - time) ? one : best, null);
      const hot = !track.abstained && near && near.score !== null && near.score >= threshold && Math.abs(near.pts - time) <= track.step;
      const size = Math.max(12, height / 24);
      parts.push(s("rect", { x: left, y: top, width: right - left, height: bottom - top,
        class: `box${hot ? " hot" : ""}${found.measured ? "" : " between"}${track.abstained ? " silent" : ""}` }));
      parts.push(s("text", { x: Math.max(left, 2), y: Math.max(top - size * 0.3, size), "font-size": size, class: "tag" },
        `${t("face_n", { n: track.id })}${track.abstained ? ` ${t("not_judged")}` : near && near.score !== null ? ` ${near.score.toFixed(2)}` : ""}`));
    }
    overlay.replaceChildren(...parts);
    for (const listener of listeners) listener(asked ?? time);
  }

  function follow(video) {
    const paint = () => draw(video.currentTime);
    video.addEventListener("play", () => { asked = null; });
    video.addEventListener("seeking", () => { if (asked !== null && Math.abs(video.currentTime - Math.min(asked, video.duration || asked)) > NEAR) asked = null; });
    for (const event of ["seeked", "timeupdate", "loadeddata", "pause"]) video.addEventListener(event, paint);
    if ("requestVideoFrameCallback" in video) {
      const tick = (_now, facts) => { draw(facts.mediaTime); if (media === video) video.requestVideoFrameCallback(tick); };
      video.requestVideoFrameCallback(tick);
    }
  }

  function place(url) {
    note.textContent = "";
    badge.hidden = !derived;
    if (still) {
      media = h("img", { src: url, alt: t("the_picture"), onerror: () => preview(), onload: () => draw(0) });
    } else {
      media = h("video", { src: url, controls: true, playsinline: true, muted: true, preload: "metadata", "aria-label": t("the_clip", { name: item.name }) });
      media.addEventListener("error", () => preview());
      media.addEventListener("loadedmetadata", () => { if (!media.videoWidth) preview(); else media.currentTime = inside(wanted); });
      follow(media);
    }
    stage.replaceChildren(media, overlay, badge);
    stage.style.aspectRatio = `${width} / ${height}`;
  }

  async function preview() {
    if (derived) { note.textContent = t("preview_failed"); return; }
    derived = true;
    note.textContent = t("preview_wait");
    stage.replaceChildren(overlay);
    try {
      await api(`scans/${item.id}/preview`, { method: "POST" });
      for (;;) {
        const state = await api(`scans/${item.id}/preview`);
        if (state.state === "ready") { place(state.url); return; }
        if (state.state === "failed") { note.textContent = t("preview_failed"); return; }
        if (state.progress) note.textContent = `${t("preview_wait")} ${Math.round(100 * state.progress[0] / state.progress[1])} %`;
        await new Promise((resolve) => setTimeout(resolve, POLL));
        if (!stage.isConnected) return;
      }
    } catch (error) { note.textContent = error.message; }
  }

  if (item.media.playable) place(item.media.url); else preview();
  draw(wanted);
  const element = h("section", { class: "card player", "aria-label": t("player") }, stage, note,
    tracks.length > 0 && !still && h("p", { class: "soft" }, t("box_legend")));
  return {
    element, still,
    seek(time) {
      wanted = asked = time;
      if (media && !still && media.readyState > 0) { media.pause(); media.currentTime = inside(time); }
      draw(time);
    },
    onTime(listener) { listeners.push(listener); },
    label: (time) => clock(time),
  };
}
