// Sentences and numbers in the language of the page.

import * as store from "./store.js";

export const languages = document.documentElement.dataset.words.split(" ");

let sentences = {};
let language = "en";

// The language that was chosen, or the first of the browser's that there is.
function wanted() {
  const chosen = store.get("language");
  const asked = [chosen, ...navigator.languages].filter(Boolean);
  for (const tag of asked) {
    const short = tag.toLowerCase().split("-")[0];
    if (languages.includes(short)) return short;
  }
  return "en";
}

export async function load() {
  language = wanted();
  const file = new URL(`words/${language}.json`, import.meta.url);
  sentences = await (await fetch(file)).json();
  document.documentElement.lang = language;
  document.documentElement.dir = "ltr";
  fill(document);
  return language;
}

export function choose(tag) {
  store.put("language", tag);
  return load();
}

export const known = (key) => key in sentences;

// A sentence, with values in place of {names}; `n` says which of its forms.
export function t(key, values = {}) {
  let sentence = sentences[key] ?? key;
  if (typeof sentence === "object") {
    sentence = sentence[new Intl.PluralRules(language).select(values.n)] ?? sentence.other;
  }
  return sentence.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

// Put the sentences where elements name them.
export function fill(within) {
  for (const element of within.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of within.querySelectorAll("[data-label]")) label(element, t(element.dataset.label));
}

// What a screen reader says of an element, and a mouse that rests on a button.
export function label(element, text) {
  element.setAttribute("aria-label", text);
  if (element.tagName === "BUTTON") element.title = text;
}

// Formatters are costly to make: one for each kind of number.
const formatters = new Map();

export function number(value, options = {}) {
  const key = language + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(language, options));
  return formatters.get(key).format(value);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

export function bytes(value) {
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (!unit) return `${number(value)} B`;
  const digits = unit > 1 && value < 99.5 ? 1 : 0;
  return number(value, { style: "unit", unit: UNITS[unit], unitDisplay: "short", maximumFractionDigits: digits });
}

// By how much less, as −75 %; more is +.
export function saved(before, after) {
  if (!before) return "";
  const part = (after - before) / before;
  // Never nothing left: −99.9 % rather than −100 %.
  const digits = part < -0.995 ? 1 : 0;
  return number(Math.max(part, -0.999), { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: digits }).replace("-", "−");
}
