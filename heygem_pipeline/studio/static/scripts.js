// Scripts: written or changed in the page, with a voice to choose and to hear before.

import { toast } from "./dialogs.js";
import { el, icon, languageName, t } from "./page.js";
import { get, post } from "./server.js";
import { store } from "./store.js";

export const LANGUAGES = ["zh", "en", "de", "fr", "es", "it", "pt", "ru", "ja", "ko", "ar", "hi"];
const dialog = document.getElementById("question");
const USUAL = JSON.stringify(["", ""]);
const OTHER = "other";

/** Make the button work. */
export function prepare() {
  document.getElementById("write").addEventListener("click", () => write(null));
}

/** Write a script, or change the one of an upload. */
export async function write(upload) {
  const before = upload ? await get(`api/scripts/${encodeURIComponent(upload.key)}`).catch((error) => { toast(error.message || t("offline"), "bad"); return null; }) : { file: "", text: "", language: "", engine: "", voice: "", sentences: [] };
  if (!before) return;
  const speakers = await get("api/speakers").catch(() => []);
  const name = el("input", { type: "text", maxlength: 100, required: !upload, autocomplete: "off", value: upload ? before.file : "" });
  const language = el("select", {}, el("option", { value: "" }, t("language.unknown")), ...languages(before.language).map((tag) => el("option", { value: tag, selected: tag === before.language }, languageName(tag))));
  const text = el("textarea", { rows: 9, required: true, value: before.text, placeholder: t("script.text.hint"), dir: "auto" });
  const voice = el("select", {});
  const other = el("input", { type: "text", maxlength: 100, autocomplete: "off", "aria-label": t("script.voice.other"), hidden: true });
  const lack = el("p.hint.bad", { role: "status", hidden: true });
  const effect = el("p.hint", { role: "status" });
  const no = el("p.note.bad", { role: "alert", hidden: true });
  const hear = el("button.button.quiet", { type: "button" }, icon("play"), t("script.sample"));
  const save = el("button.button.primary", { type: "submit" }, t(upload ? "script.speak.again" : "script.speak"));
  let sound = null;

  const chosen = () => {
    if (voice.value !== OTHER) return JSON.parse(voice.value || USUAL);
    return [speakers.find((one) => !one.language && one.voice)?.engine ?? before.engine, other.value.trim()];
  };
  const offer = () => {
    const kept = voice.value || JSON.stringify([before.engine, before.voice]);
    const fits = speakers.filter((one) => one.voice && (!one.language || !language.value || base(one.language) === base(language.value)));
    const options = [[USUAL, t("script.voice.usual")], ...fits.map((one) => [JSON.stringify([one.engine, one.voice]), `${one.voice} · ${engineName(one.engine)}`])];
    if (speakers.some((one) => one.voice && !one.language)) options.push([OTHER, t("script.voice.other")]);
    if (kept !== OTHER && !options.some(([value]) => value === kept) && (before.voice || before.engine) && kept === JSON.stringify([before.engine, before.voice])) options.push([kept, before.voice || engineName(before.engine)]);
    voice.replaceChildren(...options.map(([value, words]) => el("option", { value, selected: value === kept }, words)));
    tell();
  };
  const tell = () => {
    const [engine, named] = chosen();
    const missing = speakers.find((one) => one.lack && one.engine === engine && (one.voice === named || !one.voice))?.lack ?? "";
    lack.textContent = missing;
    lack.hidden = !missing;
    other.hidden = voice.value !== OTHER;
    const differs = text.value !== before.text || language.value !== before.language || engine !== before.engine || named !== before.voice;
    save.disabled = Boolean(upload) && !differs;
    const done = upload ? Object.values(store.now.clips).filter((clip) => clip.voice === upload.key && clip.state === "done").length : 0;
    effect.textContent = !upload ? t("script.synthetic") : differs && done ? t("script.stale", { count: done }) : differs ? t("script.anew") : t("script.same");
  };
  const stop = () => {
    sound?.pause();
    sound = null;
    hear.replaceChildren(icon("play"), t("script.sample"));
  };
  hear.addEventListener("click", async () => {
    if (sound) { stop(); return; }
    const [engine, named] = chosen();
    hear.disabled = true;
    hear.replaceChildren(icon("clock"), t("script.sample.made"));
    const made = await post("api/speakers/sample", { engine, voice: named, language: language.value });
    hear.disabled = false;
    stop();
    if (!made || !dialog.open) return;
    sound = new Audio(`files/samples/${made.sample}.wav?v=${made.sample}`);
    hear.replaceChildren(icon("stop"), t("script.sample"));
    sound.onended = stop;
    sound.play().catch(() => { stop(); toast(t("listen.cannot"), "bad"); });
  });
  for (const control of [voice, other, text]) control.addEventListener("input", () => { stop(); tell(); });
  language.addEventListener("input", () => { stop(); offer(); });
  offer();

  const named = (key, control) => el("label.field", {}, el("span", {}, t(key)), control);
  const heard = upload?.spoken?.now ? el("figure.heard", {}, el("audio", { controls: true, "aria-label": t("script.result"), preload: "none", src: `files/voices/${encodeURIComponent(upload.key)}?v=${upload.mark}` }), el("figcaption", {}, t("script.result"))) : null;
  const form = el("form.script", {},
    upload ? null : named("script.name", name),
    named("script.text", text), named("script.language", language),
    named("script.voice", voice), other, lack, el("div.drop-buttons", {}, hear), heard, effect, no,
    el("div.question-buttons", {}, el("button.button.quiet", { type: "button", onclick: () => dialog.close() }, t("back")), save));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [engine, voiceName] = chosen();
    save.disabled = true;
    const stored = await post("api/scripts", { key: upload?.key ?? "", name: upload ? "" : name.value, text: text.value, language: language.value, engine, voice: voiceName }, (words) => {
      no.textContent = words;
      no.hidden = false;
      no.scrollIntoView({ block: "nearest" });
    });
    save.disabled = false;
    if (!stored) return;
    if (!upload) store.arriving.voices.add(stored.file);
    dialog.close();
    toast(t(upload ? "script.stored.again" : "script.stored"));
    store.soon?.();
  });
  dialog.replaceChildren(el("h2", { id: "question-title" }, upload ? t("script.change", { name: before.file }) : t("script.write")), form);
  dialog.onclose = stop;
  dialog.showModal();
}

function languages(chosen) {
  return !chosen || LANGUAGES.includes(chosen) ? LANGUAGES : [chosen, ...LANGUAGES];
}

function base(tag) {
  return tag.split("-")[0].toLowerCase();
}

function engineName(engine) {
  const known = t(`speech.${engine}`);
  return known === `speech.${engine}` ? engine : known;
}
