// What is kept of a clip beside the one made in its place: shown, downloaded, deleted.

import { pattern } from "./batch-change.js";
import { confirmed } from "./dialogs.js";
import { date, el, fill, has, icon, megabytes, t } from "./page.js";
import { get, post } from "./server.js";
import { store } from "./store.js";

/** Keep the list of a clip up to date. */
export async function draw(section, voice, presenter, clip) {
  const mark = JSON.stringify([voice, presenter, clip?.earlier ?? 0]);
  if (section.dataset.wanted === mark) return;
  section.dataset.wanted = mark;
  const pair = [voice, presenter].map(encodeURIComponent).join("/");
  const kept = clip?.earlier ? await get(`api/earlier/${pair}`).catch(() => []) : [];
  if (section.dataset.wanted !== mark) return;
  fill(section, JSON.stringify([mark, kept]), () => (kept.length
    ? [el("h3", {}, t("earlier")), el("ul", {}, ...kept.map((one) => row(one, pair, voice, presenter)))]
    : []));
}

function row(one, pair, voice, presenter) {
  const path = `files/earlier/${pair}/${one.number}.mp4`;
  const facts = [date(one.made), one.quality ? t(`quality.${one.quality}`) : null, one.label === "always" ? t("label.always") : null, one.engine ? engineName(one.engine) : null, megabytes(one.bytes)];
  const name = t("earlier.one", { number: one.number });
  const place = el("figure.clip-video");
  const show = el("button.icon-button", { type: "button", "aria-label": t("earlier.show", { number: one.number }), title: t("earlier.show", { number: one.number }), onclick: () => {
    const video = el("video", { src: `${path}?v=${one.mark}`, controls: true, playsinline: true, preload: "metadata", "aria-label": `${name}: ${t("clip.of", { voice, presenter })}` });
    place.replaceChildren(video);
    video.play().catch(() => { /* The browser plays nothing by itself. */ });
  } }, icon("play"));
  const download = el("a.icon-button", { href: `${path}?${new URLSearchParams({ download: "", ...(pattern() && { names: pattern() }) })}`, download: "", "aria-label": t("earlier.download", { number: one.number }), title: t("earlier.download", { number: one.number }) }, icon("download"));
  const remove = el("button.icon-button", { type: "button", "aria-label": t("earlier.delete", { number: one.number }), title: t("earlier.delete", { number: one.number }), onclick: async () => {
    if (!(await confirmed(t("earlier.delete", { number: one.number }), t("earlier.delete.sure"), t("delete")))) return;
    if (await post("api/earlier/delete", { voice, presenter, number: one.number })) store.soon?.();
  } }, icon("bin"));
  return el("li", {}, el("div.earlier-head", {}, el("div", {}, el("strong", {}, name), el("p.sub", {}, facts.filter(Boolean).join(" · "))), el("div.card-buttons", {}, show, download, remove)), place);
}

function engineName(engine) {
  return has(`engine.${engine}`) ? t(`engine.${engine}`) : engine;
}
