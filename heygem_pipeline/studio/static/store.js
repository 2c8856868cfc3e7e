// What the parts of the page share: what is shown, what is chosen, and who wants to know when either changes.

import { t } from "./page.js";

const MOST_NAMED = 5;
const listeners = [];

export const store = {
  /** The server's last answer. */
  now: { served: true, voices: [], presenters: [], batches: [], clips: {}, estimated: false, languages: {} },
  ready: false,
  /** Keys that are ticked. */
  chosen: { voices: new Set(), presenters: new Set() },
  /** Files that are on their way up or have just arrived: tick them when they get their key. */
  arriving: { voices: new Set(), presenters: new Set() },
  /** The batch that is shown. */
  batch: new URLSearchParams(location.search).get("batch"),
};

/** Be told after every change. */
export function listen(listener) {
  listeners.push(listener);
}

/** Tell everybody. */
export function changed() {
  for (const listener of listeners) listener(store);
}

/** Take the server's answer in. */
export function takeIn(now) {
  store.now = now;
  store.ready = true;
  for (const kind of ["voices", "presenters"]) {
    for (const upload of now[kind]) {
      if (!upload.key || !store.arriving[kind].has(upload.file)) continue;
      store.arriving[kind].delete(upload.file);
      store.chosen[kind].add(upload.key);
    }
  }
  remember();
  changed();
}

/** Tick or untick. */
export function choose(kind, keys, ticked) {
  for (const key of keys) ticked ? store.chosen[kind].add(key) : store.chosen[kind].delete(key);
  remember();
  changed();
}

/** Is it ticked, and can it be used? What cannot be used for now keeps its tick. */
export function isTicked(kind, upload) {
  return Boolean(upload.key) && !trouble(upload) && store.chosen[kind].has(upload.key);
}

/** Show another batch. */
export function show(batch) {
  store.batch = batch;
  const address = new URL(location.href);
  if (batch === null) address.searchParams.delete("batch");
  else address.searchParams.set("batch", batch);
  history.replaceState(history.state, "", address);
  changed();
}

/** The sentence that keeps an upload from being used; null where nothing does. */
export function trouble(upload) {
  return (upload.refused ?? upload.doubt)?.sentence ?? null;
}

/** The batch that is shown: the one asked for, else the newest. */
export function batchShown() {
  const batches = store.now.batches.filter((batch) => batch.name !== null);
  const newest = batches.reduce((best, batch) => (!best || batch.made > best.made ? batch : best), null);
  return batches.find((batch) => batch.name === store.batch) ?? newest;
}

/** What a clip is called in requests, addresses and the server's answer. */
export function keyOf(voice, presenter) {
  return `${voice}|${presenter}`;
}

/** The clips of a batch, voice by voice: [key, clip], each that is known. */
export function clipsOf(batch) {
  const found = [];
  for (const voice of batch.voices) {
    for (const presenter of batch.presenters) {
      const key = keyOf(voice, presenter);
      const clip = store.now.clips[key];
      if (clip) found.push([key, clip]);
    }
  }
  return found;
}

/** What a clip's state is called, and how it looks. */
export function kindOf(clip) {
  if (!clip) return "gone";
  if (clip.state === "failed") return clip.why?.code === "clip.cancelled" ? "cancelled" : "failed";
  return { done: "done", running: "running", removed: "removed" }[clip.state] ?? "waiting";
}

/** What becomes out of date with an upload: in words, and the clips by name. */
export function concerned(kind, upload) {
  const theirs = Object.values(store.now.clips).filter((clip) => clip[kind === "voices" ? "voice" : "presenter"] === upload.key);
  const done = theirs.filter((clip) => clip.state === "done" || clip.state === "stale");
  const words = [done.length ? t("replace.stale", { count: done.length }) : t("replace.nothing")];
  if (theirs.some((clip) => clip.state === "running")) words.push(t("replace.running"));
  const names = done.slice(0, MOST_NAMED).map((clip) => `${clip.voice} × ${clip.presenter}`);
  if (done.length > MOST_NAMED) names.push(t("and.more", { count: done.length - MOST_NAMED }));
  return { words: words.join(" "), names };
}

function remember() {
  const chosen = { voices: [...store.chosen.voices], presenters: [...store.chosen.presenters] };
  const arriving = { voices: [...store.arriving.voices], presenters: [...store.arriving.presenters] };
  sessionStorage.setItem("studio", JSON.stringify({ chosen, arriving }));
}

try {
  const kept = JSON.parse(sessionStorage.getItem("studio") ?? "{}");
  for (const kind of ["voices", "presenters"]) {
    store.chosen[kind] = new Set(kept.chosen?.[kind]);
    store.arriving[kind] = new Set(kept.arriving?.[kind]);
  }
} catch {
  sessionStorage.removeItem("studio");
}
