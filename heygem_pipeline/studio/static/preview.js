// Some seconds of one pair, before all are made. The server's runs make them, as they make clips.

import { toast } from "./dialogs.js";
import { clock, el, fill, icon, t } from "./page.js";
import { get, post } from "./server.js";
import { store } from "./store.js";

const ASK_AGAIN = 1000;
const SECONDS = 5;
const MOST_SECONDS = 30;
const dialog = el("dialog", { id: "preview", "aria-labelledby": "preview-title" });
document.body.append(dialog);
let timer = null;
let opened = null;

dialog.addEventListener("close", () => {
  clearTimeout(timer);
  opened = null;
  dialog.querySelector("video")?.pause();
  dialog.replaceChildren();
  // Opening it was a step in the browser's history, and closing it takes that back.
  if (history.state?.preview) history.back();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
addEventListener("popstate", (event) => { if (!event.state?.preview && dialog.open) dialog.close(); });

/** Show some seconds of a pair. voices, presenters: keys to choose from. made: quality, label, engine and subtitles. */
export function preview(voices, presenters, made) {
  const voice = choice(voices);
  const presenter = choice(presenters);
  const begin = el("input", { type: "number", min: 0, step: 1, value: 0, inputmode: "numeric", required: true });
  const seconds = el("input", { type: "number", min: 1, max: MOST_SECONDS, step: 1, value: SECONDS, inputmode: "numeric", required: true });
  const shown = el("div.preview-shown");
  const named = (key, control) => el("label.field", {}, el("span", {}, t(key)), control);
  const form = el("form.preview-form", {
    onsubmit: (event) => {
      event.preventDefault();
      ask({ voice: voice.value, presenter: presenter.value, begin: Number(begin.value), seconds: Number(seconds.value), ...made });
    },
  },
  named("preview.voice", voice), named("preview.presenter", presenter), named("preview.begin", begin), named("preview.seconds", seconds),
  el("button.button.primary", { type: "submit" }, icon("play"), t("preview.do")));
  opened = { voice, presenter, shown };
  for (const one of [voice, presenter]) one.addEventListener("change", look);
  dialog.replaceChildren(
    el("header.clip-head", {}, el("h2", { id: "preview-title" }, t("preview.title")),
      el("button.icon-button", { type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close"))),
    el("p.hint", {}, t("preview.hint")), form, shown);
  history.pushState({ ...history.state, preview: true }, "");
  dialog.showModal();
  look();
}

/** A choice of keys; of voices with their length. */
function choice(keys) {
  const lengths = new Map(store.now.voices.map((one) => [one.key, one.seconds]));
  return el("select", {}, ...keys.map((key) => el("option", { value: key }, lengths.get(key) ? `${key} (${clock(lengths.get(key))})` : key)));
}

async function ask(wanted) {
  if (!(await post("api/previews", wanted))) return;
  opened.made = null;
  look();
}

/** Say where it stands, and look again while it is on its way. */
async function look() {
  clearTimeout(timer);
  if (!opened) return;
  const { voice, presenter, shown } = opened;
  const pair = [voice.value, presenter.value];
  const path = pair.map(encodeURIComponent).join("/");
  const now = await get(`api/previews/${path}`).catch(() => undefined);
  if (opened?.shown !== shown || pair[0] !== voice.value || pair[1] !== presenter.value) return;
  if (now !== undefined) {
    fill(shown, JSON.stringify([pair, now && now.state === "done" ? now.mark : now?.state, now?.why, store.now.served]), () => parts(now, pair, path));
    const percent = shown.querySelector(".ring .percent");
    if (percent) {
      const share = Math.round(100 * (now.share ?? 0));
      shown.querySelector(".ring").style.setProperty("--share", share);
      percent.textContent = share ? `${share} %` : "";
    }
  }
  if (now === undefined || ["waiting", "queued", "running"].includes(now?.state)) timer = setTimeout(look, ASK_AGAIN);
}

function parts(now, [voice, presenter], path) {
  if (!now) return [];
  if (now.state === "failed") return [el("p.note.bad", { role: "alert" }, icon("alert"), now.why?.sentence ?? "")];
  if (now.state === "done") {
    const video = el("video", { src: `files/previews/${path}.mp4?v=${now.mark}`, controls: true, playsinline: true, preload: "auto", "aria-label": t("preview.of", { voice, presenter }) });
    video.addEventListener("error", () => toast(t("preview.gone"), "bad"));
    video.play().catch(() => { /* The browser plays nothing by itself. */ });
    return [el("figure.clip-video", {}, video, el("figcaption", {}, t("preview.of", { voice, presenter })))];
  }
  const words = store.now.served ? t(now.state === "running" ? "preview.running" : "preview.waiting") : t("not.served");
  return [el("div.clip-state", {}, el("span.ring.large", {}, el("span.percent")), el("p", { role: "status" }, words))];
}
