// How far clips and batches are, and how long they still take.

import { about, t } from "./page.js";
import { clipsOf, kindOf } from "./store.js";

/** How a batch gets on: how many clips are of each kind. left: seconds, null where nobody can tell. */
export function tally(batch) {
  const counts = { total: 0, done: 0, failed: 0, cancelled: 0, removed: 0, running: 0, waiting: 0, goingOn: 0, left: batch.left ?? null };
  for (const [, clip] of clipsOf(batch)) {
    counts.total += 1;
    counts[kindOf(clip)] += 1;
    counts.goingOn += goesOn(batch, clip);
  }
  return counts;
}

/** Is it being made, or will it be in its turn? What waits for a time, or for room on the disk, is not. */
function goesOn(batch, clip) {
  if (clip.state === "running" || clip.state === "queued") return true;
  return kindOf(clip) === "waiting" && !batch.scheduled && !clip.why;
}

/** "7 of 12, about 4 minutes left". served: is anything there that makes clips? */
export function progressWords(counts, served) {
  if (!counts.total) return t("progress.gone");
  const parts = [];
  if (counts.done === counts.total) parts.push(t("progress.all", { count: counts.total }));
  else parts.push(t("progress", { done: counts.done, total: counts.total }));
  if (served && counts.goingOn && counts.left) parts.push(t("left", { time: about(counts.left) }));
  for (const kind of ["failed", "cancelled", "removed"]) if (counts[kind]) parts.push(t(`progress.${kind}`, { count: counts[kind] }));
  return parts.join(" · ");
}

/** A running clip as it is shown. Until its first frames are told of, it may be waiting for another one's. */
export function progressOf(clip) {
  if (clip.share === undefined) return { percent: 0, told: "", state: t("state.starting"), time: null };
  const percent = Math.round(clip.share * 100);
  return { percent, told: `${percent} %`, state: t("state.running"), time: clip.left === undefined ? null : about(clip.left) };
}
