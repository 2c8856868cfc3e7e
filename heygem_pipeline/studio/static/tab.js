// What is told outside the page: how far things are, in the tab's title and icon, and by a notification at the end.

import { batchName } from "./clips.js";
import { toast } from "./dialogs.js";
import { t } from "./page.js";
import { progressWords, tally } from "./progress.js";
import { show, store } from "./store.js";

const link = document.querySelector("link[rel=icon]");
const usual = { title: document.title, icon: link.href };
/** Batches in which something is being made, by name. */
let goingOn = new Map();
let finishedUnseen = false;

/** Say how far everything is that is being made. */
export function draw() {
  if (!store.ready) return;
  const now = new Map();
  let done = 0;
  let total = 0;
  for (const batch of store.now.batches) {
    if (batch.name === null) continue;
    const counts = tally(batch);
    if (!counts.goingOn || !store.now.served) continue;
    now.set(batch.name, counts);
    done += counts.done;
    total += counts.done + counts.goingOn;
  }
  for (const name of goingOn.keys()) {
    const batch = store.now.batches.find((one) => one.name === name);
    if (batch && !now.has(name) && store.now.served) tellFinished(batch);
  }
  goingOn = now;
  if (now.size) finishedUnseen = false;
  const title = now.size ? `${done}/${total} · ${usual.title}` : finishedUnseen ? `✓ ${usual.title}` : usual.title;
  if (document.title !== title) document.title = title;
  const icon = now.size ? ring(done / total) : usual.icon;
  if (link.href !== icon) link.href = icon;
}

/** Can the browser still be asked whether it may tell? */
export function mayAsk() {
  return window.isSecureContext && "Notification" in window && Notification.permission === "default";
}

/** Ask the browser; people press a button for it. */
export async function ask() {
  const answer = await Notification.requestPermission();
  toast(t(answer === "granted" ? "notify.granted" : "notify.refused"), answer === "granted" ? "" : "bad");
  store.soon?.();
}

function tellFinished(batch) {
  if (!document.hidden) return;
  finishedUnseen = true;
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const note = new Notification(batchName(batch), { body: progressWords(tally(batch), true), icon: usual.icon, tag: batch.name });
    note.onclick = () => { window.focus(); show(batch.name); note.close(); };
  } catch {
    // Android's browsers let only a service worker tell; the title says it there.
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !finishedUnseen) return;
  finishedUnseen = false;
  draw();
});

function ring(share) {
  const length = 2 * Math.PI * 11;
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6f64"/><circle cx="16" cy="16" r="11" fill="none" stroke="#ffffff" stroke-opacity=".3" stroke-width="5"/><circle cx="16" cy="16" r="11" fill="none" stroke="#ffffff" stroke-width="5" stroke-dasharray="${(length * share).toFixed(1)} ${length.toFixed(1)}" transform="rotate(-90 16 16)"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}
