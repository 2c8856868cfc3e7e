// Tags of voices and presenters: chips on the cards, a row of them to choose by, and a dialog to give and take them.

import { asked } from "./dialogs.js";
import { el, facts, fill, icon, t } from "./page.js";
import { post } from "./server.js";
import { isTicked, store } from "./store.js";

const LONGEST_TAG = 40;
const names = new Intl.Collator(facts.language, { numeric: true, sensitivity: "base" });
const pressed = { voices: new Set(), presenters: new Set() };
let again = () => {};

/** draw: draws the lists. */
export function prepare(draw) {
  again = draw;
  for (const panel of document.querySelectorAll("section[data-kind]")) {
    panel.querySelector(".cards").before(el("div.tag-row", { role: "group", "aria-label": t(`tags.row.${panel.dataset.kind}`), hidden: true }));
  }
}

/** Has an upload all the tags that are pressed? */
export function matches(kind, upload) {
  return [...pressed[kind]].every((tag) => upload.tags.includes(tag));
}

/** Is any pressed? */
export function isChosen(kind) {
  return pressed[kind].size > 0;
}

/** The chips of a card: pressing one shows all that have it. */
export function chips(kind, upload) {
  if (!upload.tags.length) return null;
  return el("p.tags", {}, ...upload.tags.map((tag) => el("button.tag", { type: "button", "aria-label": t("tag.show", { tag }), onclick: () => press(kind, tag) }, tag)));
}

/** The row above the cards: what there is, how often, and the tags of what is ticked. */
export function drawRow(panel, kind) {
  const counts = new Map();
  for (const upload of store.now[kind]) for (const tag of upload.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  for (const tag of pressed[kind]) if (!counts.has(tag)) pressed[kind].delete(tag);
  const known = [...counts.keys()].sort(names.compare);
  const ticked = store.now[kind].filter((upload) => isTicked(kind, upload));
  const row = panel.querySelector(".tag-row");
  row.hidden = !known.length && ticked.length < 2;
  fill(row, JSON.stringify([[...counts], [...pressed[kind]], ticked.map((upload) => [upload.key, upload.tags])]), () => [
    ...known.map((tag) => el("button.tag", { type: "button", "aria-pressed": String(pressed[kind].has(tag)), "aria-label": t("tag.press", { tag, count: counts.get(tag) }), onclick: () => press(kind, tag) }, tag, el("span.tag-count", {}, String(counts.get(tag))))),
    ticked.length > 1 ? el("button.tag.give", { type: "button", onclick: () => edit(kind, ticked) }, icon("tag"), t("tags.ticked", { count: ticked.length })) : null,
  ].filter(Boolean));
}

function press(kind, tag) {
  if (!pressed[kind].delete(tag)) pressed[kind].add(tag);
  again();
}

/** Give and take tags of one upload, or of several. */
export async function edit(kind, uploads) {
  const known = [...new Set(store.now[kind].flatMap((upload) => upload.tags))].sort(names.compare);
  const boxes = known.map((tag) => {
    const having = uploads.filter((upload) => upload.tags.includes(tag)).length;
    const box = el("input", { type: "checkbox", value: tag, checked: having === uploads.length });
    box.indeterminate = having > 0 && having < uploads.length;
    return box;
  });
  const before = new Map(boxes.map((box) => [box, box.indeterminate ? null : box.checked]));
  const fresh = el("input", { type: "text", maxlength: LONGEST_TAG * 5, autocomplete: "off", placeholder: t("tags.new.example") });
  const body = el("div.tags-choice", {},
    boxes.length ? el("fieldset", {}, el("legend", {}, t("tags.known")), ...boxes.map((box) => el("label.tick", {}, box, box.value))) : null,
    el("label.field", {}, el("span", {}, t("tags.new")), fresh),
    el("p.hint", {}, t("tags.hint")));
  const title = uploads.length === 1 ? t("tags.of", { name: uploads[0].file }) : t(`tags.of.${kind}`, { count: uploads.length });
  if (!(await asked(title, body, t("tags.do")))) return;
  const changed = (wanted) => boxes.filter((box) => !box.indeterminate && box.checked === wanted && before.get(box) !== wanted).map((box) => box.value);
  const add = [...changed(true), ...fresh.value.split(/[,，、]/).map((tag) => tag.trim()).filter(Boolean)];
  const remove = changed(false);
  if (!add.length && !remove.length) return;
  if (await post("api/tags", { kind, keys: uploads.map((upload) => upload.key), add, remove })) store.soon?.();
}
