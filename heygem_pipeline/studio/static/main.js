// The page: asks the server every two seconds while it is looked at and something happens, else less often.

import * as clip from "./clip.js";
import * as clips from "./clips.js";
import * as batches from "./history.js";
import * as batchForm from "./batch-form.js";
import { facts, t } from "./page.js";
import * as scripts from "./scripts.js";
import { lookAgain, Refused, shown } from "./server.js";
import * as tab from "./tab.js";
import { store, listen, takeIn } from "./store.js";
import * as uploads from "./uploads.js";
import * as workers from "./workers.js";

const BUSY = 2000;
const QUIET = 6000;
/** While nobody looks, but something is made: the tab's title says how far it is. */
const HIDDEN = 10000;
const banner = document.getElementById("banner");
let timer = null;
let asking = false;
let misses = 0;

listen(uploads.draw);
listen(batchForm.draw);
listen(clips.draw);
listen(batches.draw);
listen(clip.draw);
listen(tab.draw);
listen(workers.draw);
listen(tellWhatStandsStill);

uploads.prepare();
scripts.prepare();
batchForm.prepare();
batches.prepare();
batchForm.draw();

/** Ask again very soon: something was done here. */
store.soon = () => {
  clearTimeout(timer);
  timer = setTimeout(look, 150);
};

async function look() {
  clearTimeout(timer);
  if (asking || (document.hidden && !isBusy())) return;
  asking = true;
  try {
    const now = await shown();
    misses = 0;
    const first = !store.ready;
    if (now) takeIn(now);
    else if (Object.values(store.now.clips).some((one) => one.state === "running")) {
      // Its time passes, and its log may go on, while nothing else changes.
      clips.draw();
      clip.draw();
    }
    if (first && store.ready) openAddressed();
    tellWhatStandsStill();
  } catch (error) {
    // Without a network fetch throws a TypeError, and so does a mistake of ours: only then is there a stack of it.
    console.warn(error);
    misses += 1;
    lookAgain();
    if (error instanceof Refused) tell(error.message);
    else if (misses > 1) tell(t("offline"));
  }
  asking = false;
  timer = setTimeout(look, document.hidden ? HIDDEN : isBusy() ? BUSY : QUIET);
}

function openAddressed() {
  const key = new URLSearchParams(location.search).get("clip");
  if (key) clips.showBatchOf(key);
  clip.openFromAddress();
}

function isBusy() {
  const { clips: all, voices, presenters } = store.now;
  const busy = ["waiting", "ready", "queued", "running", "stale"];
  return misses > 0 || Object.values(all).some((one) => busy.includes(one.state)) || [...voices, ...presenters].some((upload) => !upload.key || !upload.examined || !upload.checked);
}

function tellWhatStandsStill() {
  const waits = Object.values(store.now.clips).some((one) => one.state !== "done" && one.state !== "failed");
  const why = !store.now.served ? "not.served" : !workers.anyDraws() ? "no.workers" : "";
  tell(store.ready && why && waits ? t(why) : "");
}

function tell(words) {
  banner.hidden = !words;
  if (banner.textContent !== words) banner.textContent = words;
}

document.addEventListener("visibilitychange", look);

document.getElementById("language").addEventListener("click", (event) => {
  document.cookie = `heygem_language=${event.currentTarget.dataset.language}; max-age=31536000; samesite=lax`;
  location.reload();
});

document.getElementById("leave")?.addEventListener("click", async () => {
  await fetch("logout", { method: "POST" });
  location.replace("login");
});

document.documentElement.lang = facts.language;
look();
