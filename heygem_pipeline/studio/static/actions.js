// What people ask of clips: to be tried again, made now, or stopped.

import { toast } from "./dialogs.js";
import { t } from "./page.js";
import { V1, post } from "./server.js";
import { store } from "./store.js";

/** Have failed clips tried again. */
export function retry(keys) {
  return ask("retry", keys, t("retried", { count: keys.length }));
}

/** Have clips made that wait for the time of their campaign. */
export function makeNow(keys) {
  return ask("make", keys, t("make.now.done", { count: keys.length }));
}

/** Have clips under way stopped, and none of the others begun. */
export function cancel(keys) {
  return ask("cancel", keys, t("cancelling"));
}

async function ask(what, clips, words) {
  const named = clips.map((key) => { const [voice, presenter] = key.split("|"); return { voice, presenter }; });
  if (await post(`${V1}/clips/${what}`, { clips: named })) {
    toast(words);
    store.soon?.();
  }
}
