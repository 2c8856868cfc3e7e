// What people ask of clips: to be tried again, made now, or stopped.

import { toast } from "./dialogs.js";
import { t } from "./page.js";
import { post } from "./server.js";
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
  if (await post(`api/clips/${what}`, { clips })) {
    toast(words);
    store.soon?.();
  }
}
