// Sentences and numbers in the language of the page.

import { visits } from "./store.js";

const languages = [...document.getElementById("language").options].map(({ value }) => value);

let sentences = {};
let language = "en";

// The language that was chosen, or the first of the browser's that there is.
function wanted() {
	const asked = [visits.get("language", ""), ...navigator.languages];
	return asked.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => languages.includes(tag)) ?? "en";
}

export async function load() {
	language = wanted();
	sentences = await (await fetch(new URL(`words/${language}.json`, import.meta.url))).json();
	Object.assign(document.documentElement, { lang: language, dir: t("direction") });
	fill(document);
	return language;
}

export function choose(tag) {
	visits.put("language", tag);
	return load();
}

export const known = (key) => key in sentences;

// A sentence, with values in place of {names}; `n` says which of its forms.
export function t(key, values = {}) {
	const forms = sentences[key] ?? key;
	const sentence = forms.other ? forms[new Intl.PluralRules(language).select(values.n)] ?? forms.other : forms;
	return sentence.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name] ?? ""));
}

// Put the sentences where elements name them.
export function fill(within) {
	for (const element of within.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
	for (const element of within.querySelectorAll("[data-label]")) label(element, t(element.dataset.label));
}

// What a screen reader says of an element, and a mouse that rests on a button.
export function label(element, text) {
	element.ariaLabel = text;
	if (element.tagName === "BUTTON") element.title = text;
}

// Formatters are costly to make: one for each kind of number.
const formatters = new Map();

export function number(value, options = {}) {
	const key = language + JSON.stringify(options);
	if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(language, options));
	return formatters.get(key).format(value);
}

export const percent = (value, options = {}) => number(value, { style: "percent", maximumFractionDigits: 0, ...options });

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

export function bytes(value) {
	let unit = 0;
	while (value >= 999.5 && unit < UNITS.length - 1) {
		value /= 1000;
		unit += 1;
	}
	if (!unit) return `${number(value)} B`;
	return number(value, { style: "unit", unit: UNITS[unit], unitDisplay: "short", maximumFractionDigits: unit > 1 && value < 99.5 ? 1 : 0 });
}

// By how much less, as −75 %; more is +.
export function saved(before, after) {
	if (!before) return "";
	const part = (after - before) / before;
	// Never nothing left: −99.9 % rather than −100 %.
	return percent(Math.max(part, -0.999), { signDisplay: "exceptZero", maximumFractionDigits: part < -0.995 ? 1 : 0 }).replace("-", "−");
}
