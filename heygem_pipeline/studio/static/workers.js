// The machines of a cluster; where one machine makes everything itself, there is nothing to see.

import { el, fill, t } from "./page.js";
import { store } from "./store.js";

const section = document.getElementById("workers");
const list = section.querySelector("ul");
const summary = section.querySelector("summary");

/** Does anybody draw clips? On one machine always. */
export function anyDraws() {
  const workers = store.now.workers;
  return !workers || workers.some((one) => one.queue === "gpu" && ["working", "ready"].includes(one.state));
}

/** Show who is there and at work. */
export function draw() {
  const workers = store.now.workers;
  section.hidden = !workers;
  if (!workers) return;
  const working = workers.filter((one) => one.state === "working").length;
  const there = workers.filter((one) => !["lost", "unfit"].includes(one.state)).length;
  const words = t("workers.sum", { there, working });
  if (summary.textContent !== words) summary.textContent = words;
  fill(list, JSON.stringify(workers), () => workers.map(row));
}

function row(one) {
  const what = one.clips.join(", ") || t(`worker.${one.state}`);
  const place = [one.machine, t(`worker.${one.queue}`), one.card].filter(Boolean).join(" · ");
  return el(one.reason ? "li.bad" : "li", {}, el("span", {}, place), el("span.sub", {}, [what, one.reason?.sentence].filter(Boolean).join(" · ")));
}
