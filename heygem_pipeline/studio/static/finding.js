// Order and search in the lists of voices and presenters.

import { el, facts, t } from "./page.js";
import * as tags from "./tags.js";
import { store } from "./store.js";

const FEW = 6;
const names = new Intl.Collator(facts.language, { numeric: true, sensitivity: "base" });
const byName = (a, b) => names.compare(a.file, b.file);
const ORDERS = {
  newest: (a, b) => b.added - a.added || byName(a, b),
  name: byName,
  length: (a, b) => (a.seconds ?? 0) - (b.seconds ?? 0) || byName(a, b),
  trouble: (a, b) => weight(b) - weight(a) || byName(a, b),
};
const wanted = { voices: "", presenters: "" };

/** Put the fields into the panels. again: draws the lists. */
export function prepare(again) {
  for (const panel of document.querySelectorAll("section[data-kind]")) {
    const kind = panel.dataset.kind;
    const search = el("input.find-words", { type: "search", placeholder: t(`find.${kind}`), "aria-label": t(`find.${kind}`), oninput: () => { wanted[kind] = plain(search.value.trim()); again(); } });
    const order = el("select.find-order", { "aria-label": t("order"), onchange: () => { localStorage.setItem(`studio-order-${kind}`, order.value); again(); } },
      ...Object.keys(ORDERS).map((name) => el("option", { value: name, selected: name === chosen(kind) }, t(`order.${name}`))));
    panel.querySelector(".cards").before(el("div.find", { hidden: true }, search, order), el("p.none", { role: "status", hidden: true }));
  }
  tags.prepare(again);
}

/** The uploads of a kind that are looked for, in order. */
export function found(kind) {
  const all = store.now[kind];
  const words = wanted[kind].split(/\s+/).filter(Boolean);
  const some = all.filter((upload) => tags.matches(kind, upload) && words.every((word) => plain([upload.file, ...upload.tags].join("\n")).includes(word)));
  return [...some].sort(ORDERS[chosen(kind)]);
}

/** Is only a part of them shown? */
export function isSearching(kind) {
  return wanted[kind] !== "" || tags.isChosen(kind);
}

/** Show the fields where there are many, and what a search finds. */
export function draw(panel, kind, count) {
  const all = store.now[kind].length;
  panel.querySelector(".find").hidden = all <= FEW && !isSearching(kind);
  const told = panel.querySelector(".find + .none");
  told.hidden = !isSearching(kind);
  const words = count ? t("find.some", { shown: count, all }) : t("search.none");
  if (told.textContent !== words) told.textContent = words;
  tags.drawRow(panel, kind);
}

function chosen(kind) {
  const kept = localStorage.getItem(`studio-order-${kind}`);
  return kept in ORDERS ? kept : "newest";
}

/** Without accents and case, so that "francois" finds "François". */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{Mark}/gu, "").toLocaleLowerCase(facts.language);
}

function weight(upload) {
  return upload.refused || upload.doubt ? 2 : upload.warnings.length ? 1 : 0;
}
