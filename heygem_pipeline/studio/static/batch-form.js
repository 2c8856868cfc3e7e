// Choosing and going: how many clips it would be, how long they would take, and the one button.

import { about, t } from "./page.js";
import { preview } from "./preview.js";
import { V1, post } from "./server.js";
import { isTicked, show, store } from "./store.js";
import { isBringing } from "./uploads.js";

const form = document.getElementById("make");
const go = document.getElementById("go");
const seeFirst = document.getElementById("see-first");
const sum = document.getElementById("sum");
const estimate = document.getElementById("estimate");

/** Make the form work. */
export function prepare() {
  for (const radio of form.elements.quality) {
    radio.addEventListener("change", () => { document.getElementById("quality-hint").textContent = t(`quality.${radio.value}.hint`); });
  }
  seeFirst.addEventListener("click", () => preview(inOrder("voices"), inOrder("presenters"), how()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    const wish = {
      title: form.elements.title.value.trim() || usualTitle(),
      voices: inOrder("voices"),
      presenters: inOrder("presenters"),
      ...how(),
      webhook: form.elements.webhook.value.trim(),
    };
    const begun = await post(`${V1}/batches`, wish);
    if (begun) {
      form.elements.title.value = "";
      for (const kind of ["voices", "presenters"]) store.chosen[kind].clear();
      show(begun.name);
      store.soon?.();
      const clips = document.getElementById("clips");
      clips.focus({ preventScroll: true });
      clips.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
    }
    draw();
  });
}

/** How clips are made, as it is chosen. */
function how() {
  return { quality: form.elements.quality.value, label: form.elements.label.value, engine: form.elements.engine.value, subtitles: form.elements.subtitles.value, loudness: form.elements.loudness.value };
}

/** Say what the button would do. */
export function draw() {
  const voices = inOrder("voices");
  const presenters = inOrder("presenters");
  const count = voices.length * presenters.length;
  const sumWords = count
    ? t("sum", { voices: t("sum.voices", { count: voices.length }), presenters: t("sum.presenters", { count: presenters.length }) })
    : store.ready ? t(hint(voices, presenters)) : "";
  if (sum.textContent !== sumWords) sum.textContent = sumWords;
  const words = count ? t("go", { count }) : t("go.nothing");
  if (go.textContent !== words) go.textContent = words;
  go.disabled = seeFirst.disabled = count === 0;
  const told = count ? time(voices, presenters.length) : "";
  if (estimate.textContent !== told) estimate.textContent = told;
  form.elements.title.placeholder = count ? usualTitle() : "";
}

/** What the batch is called when nobody gives it a name: what is in it. */
function usualTitle() {
  const some = ["voices", "presenters"].map((kind) => {
    const keys = inOrder(kind);
    const shown = keys.slice(0, 2).map((key) => (key.length > 30 ? `${key.slice(0, 29)}…` : key));
    return shown.join(", ") + (keys.length > 2 ? ` +${keys.length - 2}` : "");
  });
  return some.join(" × ");
}

function hint(voices, presenters) {
  const { voices: allVoices, presenters: allPresenters } = store.now;
  if (isBringing() || [...allVoices, ...allPresenters].some((upload) => !upload.key)) return "hint.wait";
  if (!allVoices.length && !allPresenters.length) return "hint.bring";
  if (!voices.length && !presenters.length) return "hint.both";
  return voices.length ? "hint.presenter" : "hint.voice";
}

function inOrder(kind) {
  return store.now[kind].filter((upload) => isTicked(kind, upload)).map((upload) => upload.key);
}

function time(voices, presenters) {
  if (!store.now.estimated) return t("estimate.none");
  const each = store.now.voices.filter((voice) => voices.includes(voice.key)).map((voice) => voice.clip_seconds);
  if (each.some((seconds) => seconds === null)) return "";
  return t("estimate", { time: about(each.reduce((all, seconds) => all + seconds * presenters, 0)) });
}
