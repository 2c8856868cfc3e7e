// The clips of a batch: how far it is, and the matrix of voices and presenters.

import { cancel, makeNow, retry } from "./actions.js";
import { change, pattern } from "./batch-change.js";
import { open } from "./clip.js";
import { confirmed } from "./dialogs.js";
import { clock, date, el, fill, icon, t } from "./page.js";
import * as tab from "./tab.js";
import { progressOf, progressWords, tally } from "./progress.js";
import { batchShown, clipsOf, keyOf, kindOf, show, store } from "./store.js";

const title = document.getElementById("batch-title");
const sub = document.getElementById("batch-sub");
const actions = document.getElementById("batch-actions");
const progress = document.getElementById("progress");
const words = document.getElementById("progress-words");
const matrix = document.getElementById("matrix");
const empty = document.getElementById("empty");
const NOT_BEGUN = ["waiting", "ready", "stale"];
const peek = document.getElementById("peek");
const notify = document.getElementById("notify");
const pen = document.getElementById("change");

notify.append(icon("bell"));
notify.addEventListener("click", () => tab.ask());
pen.append(icon("pen"));
pen.addEventListener("click", () => change(batchShown()));

/** Show the batch. */
export function draw() {
  const batch = batchShown();
  empty.hidden = Boolean(batch) || !store.ready;
  matrix.hidden = progress.hidden = words.hidden = peek.hidden = !batch;
  pen.hidden = !batch?.name;
  if (!batch) {
    notify.classList.add("off");
    title.textContent = t("clips");
    sub.textContent = "";
    fill(actions, "", () => []);
    fill(matrix, "", () => []);
    return;
  }
  const counts = tally(batch);
  const name = batchName(batch);
  if (title.textContent !== name) title.textContent = name;
  const about_it = [batch.name === "" ? t("everything.why") : date(batch.made), batch.quality ? t(`quality.${batch.quality}`) : null, batch.label === "always" ? t("label.always") : null, batch.scheduled ? t("scheduled", { time: date(batch.scheduled) }) : null, batch.tells ? t("webhook.tells", { host: batch.tells }) : null];
  const facts = about_it.filter(Boolean).join(" · ");
  if (sub.textContent !== facts) sub.textContent = facts;
  drawProgress(counts);
  drawActions(batch, counts);
  drawMatrix(batch);
}

/** The batch's name for people. */
export function batchName(batch) {
  return batch.name === "" ? t("everything") : batch.title;
}

function drawProgress(counts) {
  const share = counts.total ? Math.round((100 * counts.done) / counts.total) : 0;
  progress.setAttribute("aria-valuenow", share);
  progress.firstElementChild.style.inlineSize = `${share}%`;
  progress.classList.toggle("whole", counts.total > 0 && counts.done === counts.total);
  const told = progressWords(counts, store.now.served);
  if (words.textContent !== told) words.textContent = peek.textContent = told;
}

function drawActions(batch, counts) {
  const under_way = counts.running + counts.waiting > 0;
  // Their places are kept, so that what comes and goes moves nothing.
  notify.classList.toggle("off", !(under_way && tab.mayAsk()));
  const over = clipsOf(batch).filter(([, clip]) => isOver(clip)).map(([key]) => key);
  const not_begun = batch.scheduled ? clipsOf(batch).filter(([, clip]) => NOT_BEGUN.includes(clip.state)).map(([key]) => key) : [];
  const earlier = clipsOf(batch).some(([, clip]) => clip.earlier);
  fill(actions, JSON.stringify([batch.name, counts.done > 0, earlier, over, under_way, not_begun.length, pattern()]), () => [
    counts.done ? el("a.button.primary", { href: archive({ batch: batch.name }), download: "" }, icon("download"), t("download.all")) : null,
    counts.done && earlier ? el("a.button.quiet", { href: archive({ batch: batch.name, earlier: "" }), download: "" }, icon("download"), t("download.earlier")) : null,
    over.length ? el("button.button.quiet", { type: "button", onclick: () => retry(over) }, icon("again"), t("retry.all", { count: over.length })) : null,
    not_begun.length ? el("button.button.quiet", { type: "button", onclick: () => makeNow(not_begun) }, icon("again"), t("make.now", { count: not_begun.length })) : null,
    under_way ? el("button.button.quiet", { type: "button", onclick: () => cancelAll(batch) }, icon("stop"), t("cancel.all")) : null,
  ].filter(Boolean));
}

function isOver(clip) {
  return clip.state === "failed" || clip.state === "removed";
}

async function cancelAll(batch) {
  const keys = clipsOf(batch).filter(([, clip]) => clip.state !== "done" && !isOver(clip)).map(([key]) => key);
  if (!keys.length) return;
  const sure = await confirmed(t("cancel.all.title"), t("cancel.all.sure", { count: keys.length }), t("cancel.all.do", { count: keys.length }), null, t("cancel.all.keep"));
  if (sure) cancel(keys);
}

function archive(wanted) {
  return `archive.zip?${new URLSearchParams(pattern() ? { ...wanted, names: pattern() } : wanted)}`;
}

function drawMatrix(batch) {
  const presenters = batch.presenters.map((key) => store.now.presenters.find((one) => one.key === key)).filter(Boolean);
  const voices = batch.voices.map((key) => store.now.voices.find((one) => one.key === key)).filter(Boolean);
  const mark = JSON.stringify([batch.name, pattern(), voices.map((v) => [v.key, v.mark, v.seconds]), presenters.map((p) => [p.key, p.mark, p.picture])]);
  fill(matrix, mark, () => [table(batch, voices, presenters)]);
  for (const cell of matrix.querySelectorAll("[data-clip]")) drawCell(cell);
  for (const link of matrix.querySelectorAll("[data-row]")) {
    const some = presenters.some((p) => store.now.clips[keyOf(link.dataset.row, p.key)]?.state === "done");
    link.classList.toggle("off", !some);
    link.tabIndex = some ? 0 : -1;
    link.setAttribute("aria-hidden", String(!some));
  }
}

function table(batch, voices, presenters) {
  const heads = presenters.map((presenter) => el("th", { role: "columnheader", scope: "col" }, face(presenter), el("span.head-name", { title: presenter.key }, presenter.key)));
  const rows = voices.map((voice) => el("tr", { role: "row" },
    el("th.row-head", { role: "rowheader", scope: "row" },
      el("span.head-name", { title: voice.key }, voice.key),
      el("span.row-facts", {}, voice.seconds ? clock(voice.seconds) : "",
        el("a.icon-button", { href: archive({ batch: batch.name, voice: voice.key }), download: "", "data-row": voice.key, "aria-label": t("download.row", { name: voice.key }), title: t("download.row", { name: voice.key }) }, icon("download")))),
    ...presenters.map((presenter) => el("td", { role: "cell" }, el("span.cell-of", {}, presenter.key), el("button.cell", { type: "button", "data-clip": keyOf(voice.key, presenter.key), "data-voice": voice.key, "data-presenter": presenter.key, onclick: () => open(voice.key, presenter.key) })))));
  return el("table", { role: "table", style: null, "aria-labelledby": "batch-title" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, el("td.corner", { role: "cell" }), ...heads)),
    el("tbody", { role: "rowgroup" }, ...rows));
}

function face(presenter) {
  if (!presenter.picture) return el("span.face");
  return el("img.face", { src: `files/pictures/${encodeURIComponent(presenter.key)}.jpg?v=${presenter.mark}`, alt: "", width: 40, height: 40, loading: "lazy" });
}

function drawCell(button) {
  const { clip: key, voice, presenter } = button.dataset;
  const clip = store.now.clips[key];
  const kind = kindOf(clip);
  let state = t(`state.${kind}`);
  button.dataset.kind = kind;
  button.disabled = kind === "gone";
  fill(button, JSON.stringify([kind, clip?.mark, clip?.why]), () => inside(kind, clip, voice, presenter));
  if (kind === "running") {
    const now = progressOf(clip);
    button.querySelector(".ring").style.setProperty("--share", now.percent);
    button.querySelector(".percent").textContent = now.told;
    button.querySelector(".cell-words").textContent = now.time ?? now.state;
    state = `${now.state} ${now.told}`.trim();
  }
  const spoken = t("cell", { voice, presenter, state });
  if (button.getAttribute("aria-label") !== spoken) button.setAttribute("aria-label", spoken);
}

function inside(kind, clip, voice, presenter) {
  if (kind === "done") {
    const strip = `files/strips/${encodeURIComponent(voice)}/${encodeURIComponent(presenter)}.jpg?v=${clip.mark}`;
    return [el("img.thumb", { src: strip, alt: "", loading: "lazy" }), el("span.thumb-play", {}, icon("play"))];
  }
  if (kind === "running") return [el("span.ring", {}, el("span.percent")), el("span.cell-words")];
  if (kind === "failed") return [icon("alert"), el("span.cell-words.clamp", {}, clip.why?.sentence ?? "")];
  const sign = { waiting: "clock", cancelled: "stop", removed: "bin", gone: "close" }[kind];
  const held = kind === "waiting" && clip.why;
  return [icon(sign), el("span.cell-words.clamp", {}, held ? clip.why.sentence : t(`state.${kind}`))];
}

/** The batch that holds a clip, to show it around it. */
export function showBatchOf(key) {
  const batch = batchShown();
  if (batch && clipsOf(batch).some(([one]) => one === key)) return;
  const other = store.now.batches.find((one) => one.name !== null && clipsOf(one).some(([clip]) => clip === key));
  if (other) show(other.name);
}
