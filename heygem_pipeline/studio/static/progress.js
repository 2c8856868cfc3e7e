// How far clips and batches are, and how long they still take.

import { about, t } from "./page.js";
import { clipsOf, house, kindOf } from "./store.js";

/** How a batch gets on: how many clips are of each kind. left: seconds, null where nobody can tell. */
export function tally(batch) {
  const counts = { total: 0, done: 0, failed: 0, cancelled: 0, removed: 0, running: 0, waiting: 0, left: 0 };
  for (const [key, clip] of clipsOf(batch)) {
    const kind = kindOf(clip);
    counts.total += 1;
    counts[kind] += 1;
    if (kind !== "running" && kind !== "waiting") continue;
    const whole = secondsOf(key);
    counts.left = whole === null || counts.left === null ? null : counts.left + whole * (1 - (clip.share ?? 0));
  }
  return counts;
}

/** "7 of 12, about 4 minutes left". */
export function progressWords(counts) {
  if (!counts.total) return t("progress.gone");
  const parts = [];
  if (counts.done === counts.total) parts.push(t("progress.all", { count: counts.total }));
  else parts.push(t("progress", { done: counts.done, total: counts.total }));
  if (counts.running + counts.waiting && counts.left) parts.push(t("left", { time: about(counts.left) }));
  for (const kind of ["failed", "cancelled", "removed"]) if (counts[kind]) parts.push(t(`progress.${kind}`, { count: counts[kind] }));
  return parts.join(" · ");
}

/** A running clip as it is shown. Until its first frames are told of, it may be waiting for another one's. */
export function progressOf(key, clip) {
  if (clip.share === undefined) return { percent: 0, told: "", state: t("state.starting"), time: null };
  const percent = Math.round(clip.share * 100);
  const seconds = left(key, clip);
  return { percent, told: `${percent} %`, state: t("state.running"), time: seconds === null ? null : about(seconds) };
}

/** Seconds a running clip still takes, as earlier ones did, else from how far it came; null where nobody can tell. */
function left(key, clip) {
  const whole = secondsOf(key);
  if (whole !== null) return whole * (1 - clip.share);
  const spent = clip.began ? Date.now() / 1000 - clip.began : 0;
  return clip.share > 0.15 && spent > 2 ? (spent * (1 - clip.share)) / clip.share : null;
}

/** Seconds a clip takes as earlier ones did; null where there are none, or its voice's length is not known. */
function secondsOf(key) {
  const voice = house.now.voices.find((one) => one.key === key.split("|")[0]);
  const { pace } = house.now;
  return pace && voice?.seconds ? pace.start + pace.each * voice.seconds : null;
}
