// Bringing in: drop zones, the queue of uploads, recording, and a card for each file.

import * as faces from "./faces.js";
import * as finding from "./finding.js";
import * as part from "./part.js";
import * as tags from "./tags.js";
import { confirmed, toast } from "./dialogs.js";
import { clock, el, facts, fill, icon, languageName, t } from "./page.js";
import { LANGUAGES, write } from "./scripts.js";
import { V1, ask, post, upload as send } from "./server.js";
import { changed, choose, concerned, isTicked, store, trouble } from "./store.js";

const AT_ONCE = 2;
/** Refusals that are about how good it looks, not about whether it can be made. */
const MATTERS_OF_TASTE = ["face.turned_away"];
const endings = { voices: facts.voiceEndings, presenters: facts.presenterEndings, scripts: facts.scriptEndings };
/** What lies in a zone, and what else may be dropped there. */
const OTHERS = { voices: "scripts" };
const queue = [];
let sending = 0;
let playing = null;

/** Make both zones work. */
export function prepare() {
  for (const panel of document.querySelectorAll("section[data-kind]")) {
    const kind = panel.dataset.kind;
    const zone = panel.querySelector(".drop");
    panel.querySelector("input[type=file]").addEventListener("change", (event) => {
      bring(kind, event.target.files);
      event.target.value = "";
    });
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      bring(kind, event.dataTransfer.files);
    });
    panel.querySelector(".all input").addEventListener("change", (event) => {
      const keys = finding.found(kind).filter((upload) => upload.key && !trouble(upload)).map((upload) => upload.key);
      choose(kind, keys, event.target.checked);
    });
  }
  // A file dropped beside a zone would otherwise replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => sending && event.preventDefault());
  finding.prepare(draw);
  prepareRecording();
}

/** Put files into the queue; what cannot be used is told at once. */
export function bring(kind, files, replaces = "") {
  for (const file of files) {
    const ending = endingOf(file);
    const recording = !replaces && kind === "voices" && [".srt", ".vtt", ".txt"].includes(ending) && recordingOf(file);
    if (recording) { giveText(recording, file, ending); continue; }
    const item = { kind, sort: sortOf(kind, ending, replaces), file, name: file.name, share: 0, refused: null, offer: null, replaces };
    const other = ["voices", "presenters"].find((one) => one !== kind && endings[sortOf(one, ending)].includes(ending));
    if (!endings[item.sort].includes(ending) && other && !replaces) Object.assign(item, { refused: t(`offer.${other}.why`, { name: file.name }), offer: other });
    else if (!endings[item.sort].includes(ending)) item.refused = t("refused.ending", { name: file.name, endings: endings[item.sort].map((e) => e.slice(1)).join(" ") });
    else if (file.size > facts.maxGigabytes * 1e9) item.refused = t("refused.too_large", { name: file.name, limit: facts.maxGigabytes });
    else if (file.size === 0) item.refused = t("refused.empty", { name: file.name });
    queue.push(item);
  }
  next();
  changed();
}

/** The recording that a file of text comes with: the one of the same name. */
function recordingOf(file) {
  const stem = (name) => name.slice(0, name.lastIndexOf(".")).normalize("NFC");
  return store.now.voices.find((upload) => upload.key && !upload.spoken && stem(upload.file) === stem(file.name));
}

async function giveText(recording, file, ending) {
  if (await post("api/texts", { voice: recording.key, ending, text: await file.text() })) {
    toast(t("subtitles.given", { name: recording.file }));
    store.soon?.();
  }
}

/** A script is a voice too: which of the two a file is, or must be where it takes another's place. */
function sortOf(kind, ending, replaces = "") {
  const other = OTHERS[kind];
  if (!other) return kind;
  if (replaces) return store.now[kind].find((upload) => upload.key === replaces)?.spoken ? other : kind;
  return endings[other].includes(ending) ? other : kind;
}

function endingOf(file) {
  return file.name.slice(file.name.lastIndexOf(".")).toLowerCase();
}

/** Put another file in place of an upload, after it was said what that makes out of date. Without a file: choose one. */
export async function replace(kind, upload, file = null) {
  const chosen = file ?? (await pick(sortOf(kind, "", upload.key)));
  if (!chosen) return;
  const { words, names } = concerned(kind, upload);
  const told = [t("replace.sure", { name: upload.file, file: chosen.name }), upload.trim ? t("replace.part") : null, words].filter(Boolean);
  if (await confirmed(t("replace.title", { name: upload.file }), told.join(" "), t("replace.do"), null, t("no"), names)) bring(kind, [chosen], upload.key);
}

function pick(kind) {
  const input = el("input", { type: "file", accept: endings[kind].join(",") });
  return new Promise((resolve) => {
    input.onchange = () => resolve(input.files[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}

/** What somebody can do about an upload that is refused: bring in another, or make it anyway where that is a matter of taste. */
export function remedies(kind, upload) {
  const code = (upload.refused ?? upload.doubt)?.code;
  return el("div.remedies", {},
    upload.key ? el("button.button.quiet", { type: "button", onclick: () => replace(kind, upload) }, icon("swap"), t(upload.spoken ? "replace.script" : `replace.${kind}`)) : null,
    upload.key && upload.spoken ? el("button.button.quiet", { type: "button", onclick: () => write(upload) }, icon("pen"), t("script.change.short")) : null,
    upload.key && MATTERS_OF_TASTE.includes(code) ? el("button.button.quiet", { type: "button", onclick: () => makeAnyway(upload) }, t("anyway")) : null);
}

async function makeAnyway(upload) {
  if (await post("api/anyway", { presenter: upload.key })) {
    toast(t("anyway.done"));
    store.soon?.();
  }
}

/** Is anything on its way? */
export function isBringing() {
  return queue.some((item) => !item.refused);
}

async function next() {
  const item = queue.find((one) => !one.refused && !one.sending);
  if (!item || sending >= AT_ONCE) return;
  sending += 1;
  const { done, stop } = send(item.sort, item.file, item.name, (share) => {
    item.share = share;
    item.show?.();
  }, item.replaces);
  Object.assign(item, { sending: true, stop });
  next();
  try {
    const { file } = await done;
    if (!item.replaces) store.arriving[item.kind].add(file);
    queue.splice(queue.indexOf(item), 1);
    store.soon?.();
  } catch (error) {
    if (error.message) Object.assign(item, { refused: error.message, sending: true });
    else queue.splice(queue.indexOf(item), 1);
  }
  sending -= 1;
  changed();
  next();
}

/** Show the cards of both kinds. */
export function draw() {
  for (const panel of document.querySelectorAll("section[data-kind]")) {
    const kind = panel.dataset.kind;
    const uploads = finding.found(kind);
    finding.draw(panel, kind, uploads.length);
    const good = uploads.filter((upload) => upload.key && !trouble(upload));
    const all = panel.querySelector(".all");
    all.hidden = good.length < 2;
    const words = finding.isSearching(kind) ? t("all.found") : t("all");
    if (all.lastChild.textContent.trim() !== words) all.lastChild.textContent = ` ${words}`;
    const ticked = good.filter((upload) => isTicked(kind, upload)).length;
    all.firstElementChild.checked = ticked > 0 && ticked === good.length;
    all.firstElementChild.indeterminate = ticked > 0 && ticked < good.length;
    const list = panel.querySelector(".cards");
    const old = new Map([...list.children].map((card) => [card.dataset.id, card]));
    const cards = [];
    for (const item of queue.filter((one) => one.kind === kind)) {
      item.id ??= `queue-${Math.random()}`;
      const card = old.get(item.id) ?? el("li.card", { "data-id": item.id });
      drawQueued(card, item);
      cards.push(card);
    }
    for (const upload of uploads) {
      const id = `file-${upload.file}`;
      const card = old.get(id) ?? droppable(el("li.card", { "data-id": id }), kind);
      drawUpload(card, kind, upload);
      cards.push(card);
    }
    if (cards.length !== list.children.length || cards.some((card, index) => list.children[index] !== card)) {
      list.replaceChildren(...cards);
    }
  }
}

/** A file dropped on a card takes its place. */
function droppable(card, kind) {
  const fits = (event) => event.dataTransfer.types.includes("Files");
  card.addEventListener("dragover", (event) => { if (fits(event)) { event.preventDefault(); card.classList.add("over"); } });
  card.addEventListener("dragleave", () => card.classList.remove("over"));
  card.addEventListener("drop", (event) => {
    event.preventDefault();
    card.classList.remove("over");
    const upload = store.now[kind].find((one) => `file-${one.file}` === card.dataset.id);
    const [file, ...more] = event.dataTransfer.files;
    if (upload?.key && file && !more.length && endings[sortOf(kind, "", upload.key)].includes(endingOf(file))) replace(kind, upload, file);
    else bring(kind, event.dataTransfer.files);
  });
  return card;
}

function drawQueued(card, item) {
  fill(card, item.refused ?? "sending", () => {
    if (item.refused) {
      return [
        el("div.card-words", {}, el("p.card-name", {}, item.name), el("p.note.bad", {}, icon("alert"), item.refused),
          item.offer ? el("button.button.quiet", { type: "button", onclick: () => { queue.splice(queue.indexOf(item), 1); bring(item.offer, [item.file]); } }, t(`offer.${item.offer}`)) : null),
        el("button.icon-button", { type: "button", "aria-label": t("dismiss", { name: item.name }), onclick: () => { queue.splice(queue.indexOf(item), 1); changed(); } }, icon("close")),
      ];
    }
    const bar = el("progress", { max: 1, value: item.share, "aria-label": t("uploading", { name: item.name }) });
    const words = el("span.card-facts");
    item.show = () => {
      bar.value = item.share;
      words.textContent = item.share < 1 ? t("uploaded", { percent: Math.floor(item.share * 100) }) : t("storing");
    };
    item.show();
    return [
      el("div.card-words", {}, el("p.card-name", {}, item.name), bar, words),
      el("button.icon-button", { type: "button", "aria-label": t("upload.stop", { name: item.name }), onclick: () => { item.stop?.(); if (!item.sending) { queue.splice(queue.indexOf(item), 1); changed(); } } }, icon("close")),
    ];
  });
}

function drawUpload(card, kind, upload) {
  const bad = trouble(upload);
  const ticked = isTicked(kind, upload);
  const language = store.now.languages[upload.key] ?? "";
  const mark = JSON.stringify([upload.key, upload.mark, bad, upload.examined, upload.warnings, upload.checked, isLookedAt(upload), upload.picture, upload.trouble, upload.faces, upload.face, upload.moving, language, upload.spoken, upload.seconds, upload.tags, upload.trim]);
  card.classList.toggle("ticked", ticked);
  card.classList.toggle("unfit", Boolean(bad));
  fill(card, mark, () => {
    const name = upload.file;
    const box = el("input", { type: "checkbox", disabled: !upload.key || Boolean(bad), "aria-label": t("take", { name }), onchange: (event) => choose(kind, [upload.key], event.target.checked) });
    const words = el("div.card-words", {}, el("p.card-name", { title: name }, name), el("p.card-facts", {}, ...told(kind, upload)));
    if (kind === "voices" && upload.key && !bad && !upload.spoken) words.lastElementChild.append(languageChoice(upload, language));
    words.append(...[tags.chips(kind, upload)].filter(Boolean));
    const parts = [el("label.card-tick", {}, box), look(kind, upload), words];
    if (upload.key) {
      parts.push(el("div.card-buttons", {},
        upload.spoken ? el("button.icon-button", { type: "button", "aria-label": t("script.change", { name }), title: t("script.change.short"), onclick: () => write(upload) }, icon("pen")) : null,
        upload.spoken || (kind === "presenters" && upload.moving !== null) ? null : el("button.icon-button", { type: "button", "aria-label": t("part.title", { name }), title: t("part.short"), onclick: () => part.choose(kind, upload) }, icon("scissors")),
        el("button.icon-button", { type: "button", "aria-label": t("tags.of", { name }), title: t("tags"), onclick: () => tags.edit(kind, [upload]) }, icon("tag")),
        el("button.icon-button", { type: "button", "aria-label": t("replace.title", { name }), title: t(upload.spoken ? "replace.script" : `replace.${kind}`), onclick: () => replace(kind, upload) }, icon("swap")),
        el("button.icon-button", { type: "button", "aria-label": t("delete.one", { name }), title: t("delete"), onclick: () => remove(kind, upload) }, icon("bin"))));
    }
    if (upload.key && upload.examined && !bad && upload.moving !== null) parts.push(motion(upload));
    if (bad) parts.push(problem(kind, upload, bad));
    else if (upload.warnings.length) {
      parts.push(el("details.note.doubt", { open: upload.warnings.length === 1 }, el("summary", {}, icon("alert"), t("hints", { count: upload.warnings.length })), ...upload.warnings.map((warning) => el("p", {}, warning.sentence))));
      // Outside of the hints: they may be folded.
      const offer = faces.offer(upload);
      if (offer) parts.push(el("div.note", {}, offer));
    }
    return parts;
  });
  const percent = card.querySelector(".looking .percent");
  if (percent) percent.textContent = upload.share === null ? "" : ` ${Math.round(upload.share * 100)} %`;
  const box = card.querySelector(".card-tick input");
  if (box) box.checked = ticked;
}

/** Whether a photograph blinks and moves its head. */
function motion(upload) {
  const change = async ({ target }) => {
    target.disabled = true;
    if (await ask("PATCH", `${V1}/presenters/${encodeURIComponent(upload.key)}`, { moving: target.checked })) toast(t("moving.done"));
    else target.checked = upload.moving;
    target.disabled = false;
    store.soon?.();
  };
  return el("label.tick.card-motion", { title: t("moving.hint") }, el("input", { type: "checkbox", checked: upload.moving, onchange: change }), t("moving"));
}

/** Length, resolution, and whether it is still being looked at. */
function told(kind, upload) {
  if (trouble(upload)) return [el("span.bad", {}, t("unfit"))];
  if (upload.spoken) return toldOfScript(upload);
  const parts = [];
  if (upload.seconds) parts.push(clock(upload.seconds));
  if (kind === "presenters" && upload.width) {
    if (!upload.seconds) parts.push(t("photo"));
    parts.push(`${upload.width} × ${upload.height}`);
  }
  const looking = el("span.looking", {}, t("looking"), el("span.percent"));
  if (!upload.examined || !upload.key) return [looking];
  const words = [el("span", {}, parts.join(" · "))];
  if (upload.trim) words.push(el("span.part-told", { title: t("part.used") }, icon("scissors"), part.told(upload.trim)));
  if (isLookedAt(upload)) words.push(looking);
  if (upload.checked) words.push(el("span.good", { title: t("checked.hint") }, icon("tick"), t("checked")));
  return words;
}

/** Who speaks it, and that nobody does. */
function toldOfScript(upload) {
  const { now, voice, language } = upload.spoken;
  if (!now) return [el("span.looking", {}, t("script.speaking"), el("span.percent"))];
  const parts = [clock(upload.seconds), language ? languageName(language) : null].filter(Boolean);
  return [el("span", {}, parts.join(" · ")), el("span.synthetic", { title: t("script.synthetic") }, icon("voice"), t("script.by", { voice }))];
}

/** Does the pipeline go through it from beginning to end now? */
function isLookedAt(upload) {
  return !upload.checked && upload.share !== null;
}

/** A button that plays a voice, or the picture of a presenter. */
function look(kind, upload) {
  const name = upload.file;
  if (kind === "presenters") {
    if (!upload.key || !upload.picture) return el("span.face");
    return el("img.face", { src: `files/pictures/${encodeURIComponent(upload.key)}.jpg?v=${upload.mark}`, alt: "", loading: "lazy", width: 56, height: 56 });
  }
  if (!upload.key || (upload.spoken && !upload.spoken.now)) return el("span.listen");
  const button = el("button.listen", { type: "button", "aria-label": t("listen", { name }), "aria-pressed": "false" }, icon("play"));
  button.addEventListener("click", () => {
    const own = playing?.button === button;
    stopPlaying();
    if (own) return;
    const sound = new Audio(`files/voices/${encodeURIComponent(upload.key)}?v=${upload.mark}`);
    playing = { button, sound };
    button.replaceChildren(icon("stop"));
    button.setAttribute("aria-pressed", "true");
    sound.onended = stopPlaying;
    sound.play().catch(() => { stopPlaying(); toast(t("listen.cannot"), "bad"); });
  });
  return button;
}

function stopPlaying() {
  if (!playing) return;
  playing.sound.pause();
  playing.button.replaceChildren(icon("play"));
  playing.button.setAttribute("aria-pressed", "false");
  playing = null;
}

function languageChoice(upload, language) {
  const known = LANGUAGES.includes(language) || !language ? LANGUAGES : [language, ...LANGUAGES];
  const select = el("select.language", { "aria-label": t("language.of", { name: upload.file }), onchange: async (event) => { await post("api/language", { voice: upload.key, language: event.target.value }); store.soon?.(); } },
    el("option", { value: "" }, t("language.unknown")),
    ...known.map((tag) => el("option", { value: tag, selected: tag === language }, languageName(tag))));
  return select;
}

/** What is wrong, with the frame that shows it. */
function problem(kind, upload, sentence) {
  const frame = kind === "presenters" && upload.trouble
    ? el("figure", {}, el("img.frame", { src: `files/troubles/${encodeURIComponent(upload.key)}.jpg?v=${upload.mark}`, alt: "", loading: "lazy" }), el("figcaption", {}, t("frame.meant")))
    : null;
  return el("div.note.bad.wide", {}, el("p", {}, icon("alert"), sentence), frame, remedies(kind, upload), faces.offer(upload));
}

async function remove(kind, upload) {
  const words = t(upload.spoken ? "delete.script" : kind === "voices" ? "delete.voice" : "delete.presenter", { name: upload.file });
  if (!(await confirmed(t("delete.one", { name: upload.file }), words, t("delete")))) return;
  if (await ask("DELETE", `${V1}/${kind}/${encodeURIComponent(upload.key)}`)) store.soon?.();
}

function prepareRecording() {
  const button = document.getElementById("record");
  const words = button.querySelector(".record-words");
  let recorder = null;
  let timer = null;
  button.addEventListener("click", async () => {
    if (recorder) {
      recorder.stop();
      return;
    }
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
      toast(t("record.insecure"), "bad");
      return;
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      toast(t("record.refused"), "bad");
      return;
    }
    const pieces = [];
    const began = Date.now();
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      const ending = recorder.mimeType.includes("mp4") ? "m4a" : recorder.mimeType.includes("ogg") ? "ogg" : "webm";
      const at = new Date(began - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
      bring("voices", [new File(pieces, `${t("recording")} ${at}.${ending}`, { type: recorder.mimeType })]);
      recorder = null;
      button.classList.remove("on");
      words.textContent = t("record");
    };
    recorder.start(1000);
    button.classList.add("on");
    const tell = () => { words.textContent = t("record.stop", { time: clock((Date.now() - began) / 1000) }); };
    tell();
    timer = setInterval(tell, 500);
  });
}
