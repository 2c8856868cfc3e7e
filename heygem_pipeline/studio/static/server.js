// Talking to the server. All addresses are relative: the page may lie below any path.

import { toast } from "./dialogs.js";
import { t } from "./page.js";

/** The interface that programs use too. */
export const V1 = "api/v1";

let version = "";

/** What the server refused, as a sentence. */
export class Refused extends Error {}

/** What is shown now; null where nothing has changed. */
export async function shown() {
  const answer = await fetch("api/shown", { headers: version ? { "if-none-match": `"${version}"` } : {} });
  if (answer.status === 304) return null;
  await settle(answer);
  const now = await answer.json();
  version = now.version;
  return now;
}

/** Forget what was shown, so that the next answer is whole. */
export function lookAgain() {
  version = "";
}

/** Get JSON. */
export async function get(path) {
  const answer = await fetch(path);
  await settle(answer);
  return answer.json();
}

/** Have something done; tell what is refused (in passing, or by tell), and return null then. */
export function post(path, body, tell) {
  return ask("POST", path, body, tell);
}

/** The same by another method. */
export async function ask(method, path, body, tell = (words) => toast(words, "bad")) {
  try {
    const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(path, { method, ...(body === undefined ? {} : json) });
    await settle(answer);
    lookAgain();
    return answer.status === 204 ? {} : await answer.json();
  } catch (error) {
    tell(error instanceof Refused ? error.message : t("offline"));
    return null;
  }
}

/** Send a file; progress: called with 0..1; replaces: key of the one in whose place it comes. Resolves when it lies on the server, rejects with Refused. */
export function upload(kind, file, name, progress, replaces = "") {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Refused(t("upload.lost")));
    request.onabort = () => reject(new Refused(""));
    request.onload = () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* a proxy's own page */ }
      if (request.status === 201) resolve(told);
      else reject(new Refused(request.status === 413 && !told.refused && !told.code ? t("upload.proxy") : sentence(told)));
    };
  });
  request.open("PUT", `${V1}/${kind}/${encodeURIComponent(name)}${replaces ? `?replace=${encodeURIComponent(replaces)}` : ""}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.send(file);
  return { done, stop: () => request.abort() };
}

async function settle(answer) {
  if (answer.ok) return;
  if (answer.status === 401) location.reload();
  let told = {};
  try { told = await answer.json(); } catch { /* not ours */ }
  throw new Refused(sentence(told));
}

/** Of the page's own addresses, and of problem details: the page's words where it has some. */
function sentence(told) {
  if (told.sentence) return told.sentence;
  const code = told.code ?? `refused.${told.refused ?? "unexpected"}`;
  const words = code.startsWith("refused.") ? t(code, told.values ?? {}) : code;
  return words === code ? told.detail ?? t("refused.unexpected") : words;
}
