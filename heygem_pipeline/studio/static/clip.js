// One clip: played beside its template, taken away, tried again; with what was measured, and its log.

import { cancel, retry } from "./actions.js";
import { pattern } from "./batch-change.js";
import { toast } from "./dialogs.js";
import * as earlier from "./earlier.js";
import { clock, el, facts, fill, icon, megabytes, t } from "./page.js";
import { preview } from "./preview.js";
import { progressOf } from "./progress.js";
import { V1, get } from "./server.js";
import { batchShown, keyOf, kindOf, store } from "./store.js";
import { remedies } from "./uploads.js";

const dialog = document.getElementById("clip");
let opened = null;

dialog.addEventListener("close", () => {
  opened = null;
  for (const video of dialog.querySelectorAll("video")) video.pause();
  dialog.replaceChildren();
  // Opening it was a step in the browser's history, and closing it takes that back.
  if (history.state?.clip) history.back();
});
addEventListener("popstate", (event) => {
  const key = event.state?.clip;
  if (!key && dialog.open) dialog.close();
  else if (key && store.now.clips[key]) show(store.now.clips[key].voice, store.now.clips[key].presenter);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/** Open the page of a clip, because somebody pressed on it: a finished one plays. */
export function open(voice, presenter) {
  const key = keyOf(voice, presenter);
  history.pushState({ clip: key }, "", address(key));
  show(voice, presenter);
  dialog.querySelector(".clip-video video")?.play().catch(() => { /* The browser plays nothing by itself. */ });
}

function show(voice, presenter) {
  const key = keyOf(voice, presenter);
  opened = { key, voice, presenter };
  const body = el("div.clip-body", { tabindex: -1 });
  dialog.replaceChildren(
    el("header.clip-head", {},
      el("h2", { id: "clip-title" }, el("span", {}, voice), el("span.times", { "aria-hidden": "true" }, " × "), el("span", {}, presenter)),
      el("button.icon-button", { type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close"))),
    body,
    el("section.earlier"),
    el("details.log", { ontoggle: (event) => event.target.open && openLog(event.target) }, el("summary", {}, t("log")), el("div.log-body")),
  );
  draw();
  if (!dialog.open) dialog.showModal();
}

/** The clip that the address names, opened once it is known. */
export function openFromAddress() {
  const key = new URLSearchParams(location.search).get("clip");
  if (!key) return;
  const clip = store.now.clips[key];
  if (!clip) history.replaceState(null, "", address(null));
  // After a reload the step is there already; after a link it is made, so that Back leads to the page.
  else if (history.state?.clip !== key) {
    history.replaceState(null, "", address(null));
    history.pushState({ clip: key }, "", address(key));
  }
  if (clip) show(clip.voice, clip.presenter);
}

/** Keep what is open up to date. */
export function draw() {
  if (!opened) return;
  const { key, voice, presenter } = opened;
  const clip = store.now.clips[key];
  const log = dialog.querySelector("details.log");
  if (log.open) drawLog(log);
  const kind = kindOf(clip);
  earlier.draw(dialog.querySelector(".earlier"), voice, presenter, clip);
  const body = dialog.querySelector(".clip-body");
  fill(body, JSON.stringify([kind, clip?.mark, clip?.why]), () => parts(kind, clip, voice, presenter));
  if (kind === "running") {
    const now = progressOf(clip);
    body.querySelector(".ring").style.setProperty("--share", now.percent);
    body.querySelector(".percent").textContent = now.told;
    body.querySelector(".clip-words").textContent = now.time === null ? now.state : `${now.state}, ${t("left", { time: now.time })}`;
  }
}

function parts(kind, clip, voice, presenter) {
  const key = keyOf(voice, presenter);
  const again = el("button.button.primary", { type: "button", onclick: () => retry([key]) }, icon("again"), t("retry"));
  if (kind === "done") return finished(clip, voice, presenter);
  if (kind === "running") return [el("div.clip-state", {}, el("span.ring.large", {}, el("span.percent")), el("p.clip-words", { role: "status" }), stop(key))];
  if (kind === "waiting") return [el("div.clip-state", {}, icon("clock"), el("p", {}, clip.why ? clip.why.sentence : t("waiting.why")), el("div.clip-actions", {}, seeFirst(voice, presenter), stop(key)))];
  if (kind === "failed") return [el("div.clip-state.bad", {}, icon("alert"), el("p.why", {}, clip.why?.sentence ?? ""), frameOf(presenter), el("p", {}, t("failed.what")), ...remediesOf(voice, presenter), again)];
  if (kind === "gone") return [el("div.clip-state", {}, el("p", {}, t("state.gone")))];
  return [el("div.clip-state", {}, icon(kind === "removed" ? "bin" : "stop"), el("p", {}, t(`${kind}.why`)), again)];
}

/** A button that shows some seconds of it, made as its batch is. */
function seeFirst(voice, presenter) {
  const { quality, label, engine } = batchShown() ?? {};
  const made = { ...(quality && quality !== "own" && { quality }), ...(["start", "always"].includes(label) && { label }), ...(engine && { engine }) };
  return el("button.button.quiet", { type: "button", onclick: () => preview([voice], [presenter], made) }, icon("play"), t("preview.first"));
}

function stop(key) {
  return el("button.button.quiet", { type: "button", onclick: () => cancel([key]) }, icon("stop"), t("cancel"));
}

/** What can be done where the voice or the presenter is at fault. */
function remediesOf(voice, presenter) {
  const named = [["voices", voice], ["presenters", presenter]].map(([kind, key]) => [kind, store.now[kind].find((one) => one.key === key)]);
  return named.filter(([, upload]) => upload?.refused).map(([kind, upload]) => remedies(kind, upload));
}

function frameOf(presenter) {
  const upload = store.now.presenters.find((one) => one.key === presenter);
  if (!upload?.refused || !upload.trouble) return null;
  return el("figure", {}, el("img.frame", { src: `files/troubles/${encodeURIComponent(presenter)}.jpg?v=${upload.mark}`, alt: "" }), el("figcaption", {}, t("frame.meant")));
}

function finished(clip, voice, presenter) {
  const path = `files/clips/${encodeURIComponent(voice)}/${encodeURIComponent(presenter)}.mp4`;
  const upload = store.now.presenters.find((one) => one.key === presenter);
  const video = el("video", { src: `${path}?v=${clip.mark}`, controls: true, playsinline: true, preload: "metadata", "aria-label": t("clip.of", { voice, presenter }) });
  const measured = el("dl.measured");
  tellReport(measured, voice, presenter, video);
  const figures = [el("figure.clip-video", {}, video, el("figcaption", {}, t("the.clip")))];
  if (upload) figures.push(el("figure.template", {}, template(upload, video), el("figcaption", {}, t("the.template"))));
  return [
    el("div.beside", {}, ...figures),
    el("div.clip-actions", {},
      el("a.button.primary", { href: `${path}?${new URLSearchParams({ download: "", batch: batchShown()?.name ?? "", ...(pattern() && { names: pattern() }) })}`, download: "" }, icon("download"), t("download")),
      el("button.button.quiet", { type: "button", onclick: copyLink }, icon("link"), t("copy.link"))),
    measured,
  ];
}

/** The presenter as it was brought in; what a browser cannot play is shown as a picture. */
function template(upload, clip) {
  const key = encodeURIComponent(upload.key);
  const still = upload.picture ? `files/pictures/${key}.jpg?v=${upload.mark}` : null;
  const picture = el("img", { src: still ?? `files/presenters/${key}?v=${upload.mark}`, alt: t("the.template") });
  if (upload.examined && !upload.seconds) return picture;
  const video = el("video", { src: `files/presenters/${key}?v=${upload.mark}`, muted: true, loop: true, playsinline: true, preload: "metadata", poster: still, "aria-label": t("the.template") });
  video.onerror = () => video.replaceWith(picture);
  clip.addEventListener("play", () => video.play().catch(() => {}));
  clip.addEventListener("pause", () => video.pause());
  clip.addEventListener("ended", () => video.pause());
  return video;
}

async function tellReport(list, voice, presenter, video) {
  const report = (await get(`${V1}/clips/${encodeURIComponent(voice)}/${encodeURIComponent(presenter)}`).catch(() => null))?.facts;
  if (!report) return;
  const rows = [
    [t("length"), clock(report.seconds)],
    [t("picture"), `${report.width} × ${report.height}, ${t("per.second", { fps: report.fps })}`],
    [t("size"), megabytes(report.bytes)],
  ];
  if (report.synthetic_voice) rows.push([t("script.voice"), t("script.by", { voice: report.synthetic_voice })]);
  if (report.loudness !== null) rows.push([t("loudness"), t("loudness.measured", { level: report.loudness.toLocaleString(facts.language, { minimumFractionDigits: 1 }) })]);
  if (report.subtitles) rows.push([t("subtitles"), t(`subtitles.${report.subtitles}`)]);
  // Browsers show no track that lies in the MP4 itself.
  if (report.subtitles === "soft") video.append(el("track", { kind: "subtitles", src: `files/subtitles/${encodeURIComponent(voice)}.vtt`, label: t("subtitles") }));
  for (const check of report.checks) rows.push([t(`check.${check.name}`), el(`span.verdict.${check.verdict}`, {}, icon(check.verdict === "passed" ? "tick" : "alert"), check.verdict === "passed" ? t(`check.${check.name}.passed`) : check.sentence)]);
  for (const warning of report.warnings) rows.push([t("hint"), warning]);
  list.replaceChildren(...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

async function copyLink() {
  const link = new URL(location.href);
  link.searchParams.delete("batch");
  try {
    await navigator.clipboard.writeText(link.href);
    toast(t("copied"));
  } catch {
    toast(link.href);
  }
}

async function openLog(details) {
  await drawLog(details);
  details.scrollIntoView({ block: "end" });
}

async function drawLog(details) {
  const { voice, presenter } = opened;
  const body = details.querySelector(".log-body");
  const told = await get(`${V1}/clips/${encodeURIComponent(voice)}/${encodeURIComponent(presenter)}/log`).catch(() => null);
  const before = body.querySelector("ol");
  const top = before?.scrollTop ?? 0;
  const atEnd = !before || top + before.clientHeight >= before.scrollHeight - 4;
  fill(body, JSON.stringify([told?.run, told?.lines.length]), () => logOf(told));
  const lines = body.querySelector("ol");
  if (lines && lines !== before) lines.scrollTop = atEnd ? lines.scrollHeight : top;
}

function logOf(told) {
  if (!told?.run) return [el("p", {}, t("log.none"))];
  const lines = told.lines.map((line) => el(`li.${line.level.toLowerCase()}`, {},
    el("time", {}, new Date(line.at * 1000).toLocaleTimeString(facts.language)), el("span.stage", {}, t(`stage.${line.stage}`) === `stage.${line.stage}` ? line.stage : t(`stage.${line.stage}`)), el("span", {}, line.message)));
  const link = facts.dagster ? el("a", { href: `${facts.dagster}/runs/${told.run}`, target: "_blank", rel: "noopener" }, t("log.dagster")) : null;
  if (!lines.length) return [el("p", {}, t("log.none")), link ?? ""];
  return [el("ol", { tabindex: 0, "aria-label": t("log") }, ...lines), link ?? ""];
}

function address(key) {
  const now = new URL(location.href);
  if (key === null) now.searchParams.delete("clip");
  else now.searchParams.set("clip", key);
  return now;
}
