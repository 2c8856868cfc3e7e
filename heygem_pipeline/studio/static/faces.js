// Where a presenter's picture shows several people: choosing whose mouth moves, by pressing on a face.

import { asked, toast } from "./dialogs.js";
import { el, t } from "./page.js";
import { post } from "./server.js";
import { store } from "./store.js";

/** A button that offers the choice, with what was chosen; null where there is nothing to choose. */
export function offer(upload) {
  if (!upload.key || upload.faces.length < 2 || !upload.picture) return null;
  return el("div.remedies", {},
    upload.face ? el("p.sub", {}, t("face.chosen")) : null,
    el("button.button.quiet", { type: "button", onclick: () => choose(upload) }, t("face.choose")));
}

async function choose(upload) {
  const chosen = upload.face === null ? -1 : nearest(upload.faces, upload.face);
  const radio = (index) => el("input", { type: "radio", name: "face", value: String(index), checked: index === chosen });
  const faces = upload.faces.map(([left, top, right, bottom], index) => {
    const place = el("label.face-place", {}, radio(index), el("span.hidden-words", {}, t("face.number", { number: index + 1 })));
    for (const [side, share] of [["left", left], ["top", top], ["width", right - left], ["height", bottom - top]]) place.style.setProperty(side, `${100 * share}%`);
    return place;
  });
  const picture = el("img", { src: `files/pictures/${encodeURIComponent(upload.key)}.jpg?v=${upload.mark}`, alt: t("face.picture", { name: upload.file }) });
  const body = el("fieldset.faces-choice", {}, el("legend.hint", {}, t("face.hint")),
    el("div.faces", {}, picture, ...faces),
    el("label.tick", {}, radio(-1), t("face.usual")));
  if (!(await asked(t("face.title", { name: upload.file }), body, t("face.do")))) return;
  const index = Number(body.querySelector("input:checked").value);
  const [left, top, right, bottom] = upload.faces[index] ?? [];
  const place = index < 0 ? null : [(left + right) / 2, (top + bottom) / 2];
  if (index === chosen || !(await post("api/face", { presenter: upload.key, place }))) return;
  toast(t("face.done"));
  store.soon?.();
}

function nearest(faces, [x, y]) {
  const distances = faces.map(([left, top, right, bottom]) => Math.hypot((left + right) / 2 - x, (top + bottom) / 2 - y));
  return distances.indexOf(Math.min(...distances));
}
