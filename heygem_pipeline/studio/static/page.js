// What every part of the page uses: texts, elements, times, sizes.

export const facts = JSON.parse(document.getElementById("facts").textContent);
const texts = facts.texts;
const plural = new Intl.PluralRules(facts.language);

/** The text of a key, with {name} filled in; with a count, its singular or plural. */
export function t(key, values = {}) {
  const counted = values.count === undefined ? undefined : texts[`${key}.${plural.select(values.count)}`];
  const text = counted ?? texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Is there such a text? */
export function has(key) {
  return key in texts;
}

/** An element: el("p.note", { title: "x", onclick }, "text", child). */
export function el(what, options = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "muted") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SHAPES = {
  play: "M8 5v14l11-7z",
  download: "M12 3v11m0 0l-4.5-4.5M12 14l4.5-4.5M5 20h14",
  clock: "M12 7v5l3.5 2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z",
  alert: "M12 8v5m0 3.2v.1M10.3 4.3 2.9 17.5A2 2 0 0 0 4.6 20.5h14.8a2 2 0 0 0 1.7-3L13.7 4.3a2 2 0 0 0-3.4 0z",
  again: "M4 12a8 8 0 1 1 2.4 5.7M4 20v-4.5h4.5",
  stop: "M7 7h10v10H7z",
  close: "M6 6l12 12M18 6L6 18",
  bin: "M5 7h14M10 7V4h4v3m-7 0l1 13h8l1-13",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4",
  pen: "M5 19l1-4L16.5 4.5l3 3L9 18zM14 7l3 3",
  swap: "M5 9h13m0 0l-3.5-3.5M18 9l-3.5 3.5M19 15H6m0 0l3.5-3.5M6 15l3.5 3.5",
  tick: "M5 12.5l4.5 4.5L19 7.5",
  scissors: "M8.5 8.5 20 19M8.5 15.5 20 5M6 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM6 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  tag: "M4 4h8l8 8-8 8-8-8zM8.5 8.5v.1",
  voice: "M4 12h1M8 8v8M12 5v14M16 9v6M20 12h-1",
};

/** A drawn sign, for eyes only. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** 75 -> "1:15". */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "about 4 minutes", never more exact than it is known. */
export function about(seconds) {
  if (seconds < 50) return t("about.seconds", { count: Math.max(10, Math.ceil(seconds / 10) * 10) });
  if (seconds < 5400) return t("about.minutes", { count: Math.max(1, Math.round(seconds / 60)) });
  return t("about.hours", { count: Math.round(seconds / 3600) });
}

/** 1234567 -> "1.2 MB". */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString(facts.language, { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;
}

/** A POSIX time as people of this language write it. */
export function date(seconds) {
  return new Date(seconds * 1000).toLocaleString(facts.language, { dateStyle: "medium", timeStyle: "short" });
}

/** The name of a BCP 47 language. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([facts.language], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Put children in place of what is there, unless they would be the same. The keyboard stays where it was. */
export function fill(element, mark, make) {
  if (element.dataset.mark === mark) return;
  const focused = document.activeElement === element || !element.contains(document.activeElement) ? null : spoken(document.activeElement);
  element.dataset.mark = mark;
  element.replaceChildren(...make());
  if (focused === null) return;
  const same = [...element.querySelectorAll("button, a, input, select, textarea, summary, [tabindex]")].find((one) => spoken(one) === focused);
  (same ?? element.closest("[tabindex]"))?.focus({ preventScroll: true });
}

function spoken(control) {
  return control.dataset.batch ?? control.ariaLabel ?? control.textContent;
}
