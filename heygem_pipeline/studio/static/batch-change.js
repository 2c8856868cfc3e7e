// Changing a batch: its name, how its clips are made instead, and what downloaded files are called.

import { asked, toast } from "./dialogs.js";
import { el, t } from "./page.js";
import { V1, ask } from "./server.js";
import { changed, clipsOf, show, store } from "./store.js";

const make = document.getElementById("make");
const PATTERN = "studio-names";

/** What downloaded clips are called; "" for the usual. */
export function pattern() {
  return localStorage.getItem(PATTERN) ?? "";
}

/** Ask what is to be different, and have it done. */
export async function change(batch) {
  const title = el("input", { type: "text", maxlength: 100, value: batch.title, required: true });
  const quality = el("select", {}, ...choices([...make.elements.quality].map((one) => [one.value, t(`quality.${one.value}`)]), batch.quality, t("quality.own")));
  const label = el("select", {}, ...choices([...make.elements.label.options].map((one) => [one.value, one.textContent]), batch.label, t("label.off")));
  const subtitles = el("select", {}, ...choices([...make.elements.subtitles.options].map((one) => [one.value, one.textContent]), batch.subtitles, batch.subtitles));
  const loudness = el("select", {}, ...choices([...make.elements.loudness.options].map((one) => [one.value, one.textContent]), batch.loudness, t("loudness.own")));
  const engine = el("select", {}, ...choices([...make.elements.engine.options].map((one) => [one.value, one.textContent]), batch.engine, batch.engine));
  const names = el("input", { type: "text", maxlength: 200, value: pattern(), placeholder: "{voice} - {presenter}" });
  const effect = el("p.hint", { role: "status" });
  const beside = el("input", { type: "checkbox" });
  const besideChoice = el("label.tick", { hidden: true }, beside, t("change.beside"));
  const differs = () => ({
    ...(title.value.trim() !== batch.title && { title: title.value.trim() }),
    ...(quality.value !== batch.quality && { quality: quality.value }),
    ...(label.value !== batch.label && { label: label.value }),
    ...(subtitles.value !== batch.subtitles && { subtitles: subtitles.value }),
    ...(loudness.value !== batch.loudness && { loudness: loudness.value }),
    ...(engine.value !== batch.engine && { engine: engine.value }),
  });
  const tell = () => {
    const { quality: q, label: l, subtitles: s, loudness: v, engine: e } = differs();
    const done = clipsOf(batch).filter(([, clip]) => clip.state === "done").length;
    const anew = Boolean(q ?? l ?? e ?? v ?? s);
    besideChoice.hidden = !anew || !done;
    effect.textContent = !anew ? t("change.nothing") : s && !(q ?? l ?? v ?? e) ? t("change.subtitles") : beside.checked ? t("change.anew.beside", { count: done }) : t("change.anew", { count: done });
  };
  for (const one of [quality, label, subtitles, loudness, engine, beside]) one.addEventListener("change", tell);
  tell();
  const named = (key, control) => el("label.field", {}, el("span", {}, t(key)), control);
  const body = el("div", {}, named("batch.name", title), named("quality", quality), named("label", label), named("subtitles", subtitles), named("loudness", loudness), named("engine", engine), besideChoice, effect,
    el("details.more", {}, el("summary", {}, t("names")), el("label.field", {}, el("span", {}, t("names.pattern")), names), el("p.hint", {}, t("names.hint"))));
  if (!(await asked(t("change.title"), body, t("change.do")))) return;
  const wanted = names.value.trim();
  if (wanted && !(wanted.includes("{voice}") && wanted.includes("{presenter}"))) {
    toast(t("refused.pattern"), "bad");
    return;
  }
  localStorage.setItem(PATTERN, wanted);
  const different = differs();
  if (!Object.keys(different).length) {
    changed();
    return;
  }
  const done = await ask("PATCH", `${V1}/batches/${encodeURIComponent(batch.name)}`, { ...different, beside: !besideChoice.hidden && beside.checked });
  if (!done) return;
  toast(t("change.done"));
  show(done.name);
  store.soon?.();
}

/** The options of a choice; what is chosen stays choosable though the page does not offer it. */
function choices(offered, chosen, otherwise) {
  const all = offered.some(([value]) => value === chosen) ? offered : [[chosen, otherwise], ...offered];
  return all.map(([value, words]) => el("option", { value, selected: value === chosen }, words));
}
