// Sentences and numbers in the language of the page.

import { visits } from "./store.js";

const languages = [...document.getElementById("language").options].map(({ value }) => value);

const AGAIN = 1000; // ms

let sentences = {};
let language = "en";

function wanted() {
	const asked = [visits.get("language", ""), ...navigator.languages];
	return asked.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => languages.includes(tag)) ?? "en";
}

export async function load() {
	language = wanted();
	try {
		sentences = await (await fetch(new URL(`words/${language}.json`, import.meta.url))).json();
	} catch {
		await new Promise((wake) => setTimeout(wake, AGAIN));
		return load();
	}
	Object.assign(document.documentElement, { lang: language, dir: t("direction") });
	for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
	for (const element of document.querySelectorAll("[data-label]")) label(element, t(element.dataset.label));
	return language;
}

export function choose(tag) {
	visits.put("language", tag);
	return load();
}

export const known = (key) => key in sentences;

// With values in place of {names}; `n` says which form.
export function t(key, values = {}) {
	const forms = sentences[key] ?? key;
	const sentence = forms.other ? forms[new Intl.PluralRules(language).select(values.n)] ?? forms.other : forms;
	return sentence.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name] ?? ""));
}

// Also for a mouse that rests on a button.
export function label(element, text) {
	element.ariaLabel = text;
	if (element.tagName === "BUTTON") element.title = text;
	return element;
}

// They are costly to make.
const formatters = new Map();

export function number(value, options = {}) {
	const key = language + JSON.stringify(options);
	if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(language, options));
	return formatters.get(key).format(value);
}

export const percent = (value, options = {}) => number(value, { style: "percent", maximumFractionDigits: 0, ...options });

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

export function bytes(value, thousand = 1000) {
	let unit = 0;
	while (value >= thousand - 0.5 && unit < UNITS.length - 1) {
		value /= thousand;
		unit += 1;
	}
	if (!unit) return `${number(value)} B`;
	return number(value, { style: "unit", unit: UNITS[unit], unitDisplay: "short", maximumFractionDigits: unit > 1 && value < 99.5 ? 1 : 0 });
}

// As it was written: the server's 10MB are 10 × 1024 × 1024.
export const limit = (value) => bytes(value, value % 1000 ? 1024 : 1000);

// By how much less, as −75 %; more is +.
export function saved(before, after) {
	if (!before) return "";
	const part = (after - before) / before;
	// Never −100 %.
	return percent(Math.max(part, -0.999), { signDisplay: "exceptZero", maximumFractionDigits: part < -0.995 ? 1 : 0 }).replace("-", "−");
}
