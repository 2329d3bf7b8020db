// Elements, made without markup: nothing that a file is called can become some.

import { label } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
	compare: "M10 4v12M4 5h4v10H4zM12 5h4v10h-4",
	download: "M10 3v9M6 9l4 4 4-4M4 16h12",
	retry: "M15 6a6 6 0 1 0 1 5M15 2v4h-4",
	remove: "M5 5l10 10M15 5L5 15",
	theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
	picture: "M3 4h14v12H3zM3 14l4-4 3 3 3-3 4 4",
};

// An element, as "tag.class", with properties, events (onclick) and children.
export function make(kind, given = {}, ...children) {
	const [tag, ...classes] = kind.split(".");
	const element = document.createElement(tag);
	element.classList.add(...classes);
	for (const [name, value] of Object.entries(given)) {
		if (name in element) element[name] = value;
		else element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
}

export function icon(name) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("viewBox", "0 0 20 20");
	svg.ariaHidden = true;
	const path = document.createElementNS(SVG, "path");
	path.setAttribute("d", ICONS[name]);
	svg.append(path);
	return svg;
}

export const button = (text, onclick, given = {}) => make("button", { onclick, ...given }, text);

export const iconButton = (name, text, onclick) => label(button(icon(name), onclick, { className: "icon" }), text);

// Only where it has changed: a screen reader says it again.
export function show(element, text) {
	if (element.textContent !== text) element.textContent = text;
}
