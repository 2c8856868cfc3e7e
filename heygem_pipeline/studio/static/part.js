// Using a part of a voice or presenter: a player, a start and an end, and what that makes out of date.

import { asked, toast } from "./dialogs.js";
import { el, icon, t } from "./page.js";
import { post } from "./server.js";
import { concerned, store } from "./store.js";

const TIME = /^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:[.,]\d{1,3})?)$/;

/** 75.5 -> "1:15.5", as exactly as it is known. */
export function precise(seconds) {
  const thousandths = Math.round(seconds * 1000);
  const rest = (thousandths % 60000) / 1000;
  const [whole, fraction] = rest.toFixed(3).split(".");
  const decimals = fraction.replace(/0+$/, "");
  return `${Math.floor(thousandths / 60000)}:${whole.padStart(2, "0")}${decimals ? `.${decimals}` : ""}`;
}

/** "1:15.5" or "75,5" -> 75.5; NaN for what is no time. */
export function seconds(written) {
  const found = TIME.exec(written.trim());
  if (!found) return NaN;
  return Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3].replace(",", "."));
}

/** "1:15.5 to the end", of an upload of which a part is used. */
export function told(part) {
  return part.end === null ? t("part.from", { start: precise(part.start) }) : t("part.between", { start: precise(part.start), end: precise(part.end) });
}

/** Ask for start and end, and have that part used. */
export async function choose(kind, upload) {
  const now = upload.trim ?? { start: 0, end: null };
  const player = el(kind === "voices" ? "audio" : "video", {
    src: `files/${kind}/${encodeURIComponent(upload.key)}?v=${upload.mark}`, controls: true, playsinline: true, preload: "metadata", "aria-label": t("part.player", { name: upload.file }),
  });
  const cannot = el("p.note.doubt", { hidden: true }, t("part.cannot"));
  player.addEventListener("error", () => { player.hidden = true; cannot.hidden = false; });
  let shownFrame = null;
  // The time of the frame that is seen; the clock of the player runs between frames.
  const watch = (_, frame) => { shownFrame = frame.mediaTime; player.requestVideoFrameCallback(watch); };
  player.requestVideoFrameCallback?.(watch);
  const playhead = () => (player.paused && shownFrame !== null && Math.abs(shownFrame - player.currentTime) < 0.2 ? shownFrame : player.currentTime);
  const field = (value) => el("input", { type: "text", inputmode: "decimal", autocomplete: "off", value, oninput: check });
  const start = field(precise(now.start));
  const end = field(now.end === null ? "" : precise(now.end));
  end.placeholder = t("part.end.file");
  const length = el("p.hint", { role: "status" });

  function read() {
    return { start: start.value.trim() ? seconds(start.value) : 0, end: end.value.trim() ? seconds(end.value) : null };
  }
  function check() {
    const part = read();
    const whole = Number.isFinite(player.duration) ? player.duration : Infinity;
    start.setCustomValidity(Number.isNaN(part.start) ? t("part.no.time") : part.start >= whole ? t("part.past.end") : "");
    end.setCustomValidity(part.end !== null && !(part.end > (part.start || 0)) ? t(Number.isNaN(part.end) ? "part.no.time" : "part.end.first") : "");
    const until = Math.min(part.end ?? whole, whole);
    length.textContent = until > part.start && Number.isFinite(until) ? t("part.length", { time: precise(until - part.start) }) : "";
  }
  async function play() {
    const part = read();
    player.currentTime = part.start || 0;
    const stop = () => { if (part.end !== null && player.currentTime >= part.end) { player.pause(); player.removeEventListener("timeupdate", stop); } };
    player.addEventListener("timeupdate", stop);
    await player.play().catch(() => {});
  }
  player.addEventListener("loadedmetadata", check);
  const set = (input, key) => el("button.button.quiet", { type: "button", onclick: () => { input.value = precise(playhead()); check(); } }, t(key));
  const { words, names } = concerned(kind, upload);
  const body = el("div.part", {}, player, cannot,
    el("p.hint", {}, t(`part.hint.${kind}`)),
    el("div.part-row", {}, el("label.field", {}, el("span", {}, t("part.start")), start), set(start, "part.start.here")),
    el("div.part-row", {}, el("label.field", {}, el("span", {}, t("part.end")), end), set(end, "part.end.here")),
    el("div.part-buttons", {},
      el("button.button.quiet", { type: "button", onclick: play }, icon("play"), t("part.play")),
      el("button.button.quiet", { type: "button", onclick: () => { start.value = precise(0); end.value = ""; check(); } }, t("part.whole"))),
    length, el("p.stale", {}, words), names.length ? el("ul.names", {}, ...names.map((name) => el("li", {}, name))) : null);
  check();
  const sure = await asked(t("part.title", { name: upload.file }), body, t("part.do"));
  player.pause();
  player.removeAttribute("src");
  const part = read();
  if (!sure || (part.start === now.start && part.end === now.end)) return;
  if (await post("api/part", { kind, key: upload.key, ...part })) {
    toast(t("part.done"));
    store.soon?.();
  }
}
