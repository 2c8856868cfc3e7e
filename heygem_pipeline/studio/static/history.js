// Earlier batches: found again, shown, deleted.

import { confirmed } from "./dialogs.js";
import { date, el, fill, icon, t } from "./page.js";
import { batchName } from "./clips.js";
import { progressWords, tally } from "./progress.js";
import { V1, ask } from "./server.js";
import { batchShown, store, show } from "./store.js";

const section = document.getElementById("history");
const list = document.getElementById("batches");
const search = document.getElementById("search");
const remove = document.getElementById("delete-batches");
const ticked = new Set();

/** Make search and delete work. */
export function prepare() {
  search.addEventListener("input", draw);
  remove.addEventListener("click", async () => {
    const names = [...ticked];
    const answer = await confirmed(t("delete.batches", { count: names.length }), t("delete.batches.sure"), t("delete"), t("delete.batches.clips"));
    if (!answer) return;
    for (const name of names) {
      if (!(await ask("DELETE", `${V1}/batches/${encodeURIComponent(name)}?clips=${answer.ticked}`))) break;
      ticked.delete(name);
    }
    show(null);
    store.soon?.();
  });
}

/** Show the batches that the search finds, the newest first. */
export function draw() {
  const all = store.now.batches;
  section.hidden = all.length === 0;
  search.hidden = all.length < 4 && !search.value;
  const names = new Set(all.map((batch) => batch.name));
  for (const name of ticked) if (!names.has(name)) ticked.delete(name);
  const wanted = search.value.trim().toLocaleLowerCase();
  const found = all.filter((batch) => matches(batch, wanted)).sort((a, b) => b.made - a.made);
  const open = batchShown();
  const rows = found.map((batch) => ({ batch, counts: tally(batch) }));
  const mark = JSON.stringify([rows.map(({ batch, counts }) => [batch.name, batch.title, batch.wrong, progressWords(counts, store.now.served)]), open?.name ?? null]);
  fill(list, mark, () => (rows.length ? rows.map(({ batch, counts }) => row(batch, counts, batch === open)) : [el("li.none", {}, t("search.none"))]));
  const words = t("delete.batches", { count: ticked.size });
  remove.hidden = ticked.size === 0;
  if (remove.textContent !== words) remove.textContent = words;
}

function matches(batch, wanted) {
  if (!wanted) return true;
  return [batchName(batch), ...batch.voices, ...batch.presenters].some((word) => word.toLocaleLowerCase().includes(wanted));
}

function row(batch, counts, open) {
  if (batch.wrong) {
    return el("li.batch.wrong", {}, icon("alert"), el("div", {}, el("p", {}, t("wrong.campaign")), ...batch.wrong.map((problem) => el("p.sub", {}, problem))));
  }
  const box = batch.name === "" ? el("span.no-box") : el("input", {
    type: "checkbox", checked: ticked.has(batch.name), "aria-label": t("take", { name: batchName(batch) }),
    onchange: (event) => { event.target.checked ? ticked.add(batch.name) : ticked.delete(batch.name); draw(); },
  });
  return el(open ? "li.batch.open" : "li.batch", {},
    el("label.card-tick", {}, box),
    el("button.batch-open", { type: "button", "data-batch": batch.name, "aria-current": open ? "true" : null, onclick: () => { show(batch.name); document.getElementById("clips").scrollIntoView({ block: "start" }); } },
      el("span.batch-name", {}, batchName(batch)),
      el("span.sub", {}, [batch.made ? date(batch.made) : null, progressWords(counts, store.now.served)].filter(Boolean).join(" · "))));
}
