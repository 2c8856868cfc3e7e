// What the page says in passing, and what it asks before something is lost.

import { el, t } from "./page.js";

const toasts = document.getElementById("toasts");

// What lies in an open dialog alone is above it, and read out.
document.addEventListener("close", () => (document.querySelector("dialog[open]") ?? document.body).append(toasts), true);

/** Say something for some seconds, to eyes and to screen readers. */
export function toast(words, kind = "") {
  const note = el(kind ? `p.toast.${kind}` : "p.toast", {}, words);
  const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (toasts.parentElement !== place) place.append(toasts);
  toasts.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 9000 : 5000);
}

/** Ask with a form; resolves to whether people said yes. */
export function asked(title, body, action) {
  const dialog = document.getElementById("question");
  return new Promise((resolve) => {
    let answer = false;
    const form = el("form", { onsubmit: (event) => { event.preventDefault(); answer = true; dialog.close(); } }, body,
      el("div.question-buttons", {},
        el("button.button.quiet", { type: "button", onclick: () => dialog.close() }, t("back")),
        el("button.button.primary", { type: "submit" }, action)));
    dialog.replaceChildren(el("h2", { id: "question-title" }, title), form);
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
  });
}

/** Ask before something is lost; resolves to false, or to the state of the tick box. names: what it concerns. */
export function confirmed(title, words, action, box = null, keep = t("no"), names = []) {
  const dialog = document.getElementById("question");
  const ticked = el("input", { type: "checkbox" });
  return new Promise((resolve) => {
    let answer = false;
    const no = el("button.button.quiet", { type: "button", onclick: () => dialog.close() }, keep);
    const yes = el("button.button.primary.danger", {
      type: "button",
      onclick: () => { answer = { ticked: ticked.checked }; dialog.close(); },
    }, action);
    dialog.replaceChildren(
      el("h2", { id: "question-title" }, title),
      el("p", {}, words),
      names.length ? el("ul.names", {}, ...names.map((name) => el("li", {}, name))) : "",
      box ? el("label.tick", {}, ticked, box) : "",
      el("div.question-buttons", {}, no, yes),
    );
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
    no.focus();
  });
}
