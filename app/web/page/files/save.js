// Results, saved.

import * as api from "./api.js";
import { make } from "./dom.js";
import { pathOf } from "./settings.js";

const SHORT = 60000; // ms

export const canSaveFolder = "showDirectoryPicker" in window;

export async function one(item, pattern) {
	// A link carries no key, and the server's own name would win.
	const url = URL.createObjectURL(await api.blob(item.result.url));
	make("a", { href: url, download: pathOf(item, pattern).split("/").pop() }).click();
	setTimeout(() => URL.revokeObjectURL(url), SHORT);
}

// The browser saves the ZIP itself, as it comes. What is no file loads in `frame`; `refused` hears why.
export function all(items, pattern, frame, refused) {
	const files = items.map((item) => ({ ...item.job, path: pathOf(item, pattern) }));
	const fields = api.archiveForm(files);
	const inputs = Object.entries(fields).map(([name, value]) => make("input", { type: "hidden", name, value }));
	const form = make("form", { action: `${api.root}archive`, method: "post", target: frame.name }, ...inputs);
	frame.onload = () => api.archive(fields).catch(refused);
	document.body.append(form);
	form.submit();
	form.remove();
}

// Equal names get a number, as in the ZIP. Null if no folder was chosen.
export async function folder(items, pattern) {
	let top;
	try {
		top = await showDirectoryPicker({ mode: "readwrite" });
	} catch (error) {
		if (error.name === "AbortError") return null;
		throw error;
	}
	const taken = new Set();
	for (const item of items) {
		const parents = pathOf(item, pattern).split("/").filter((part) => !/^\.*$/.test(part));
		const name = parents.pop();
		let place = top;
		for (const parent of parents) place = await place.getDirectoryHandle(parent, { create: true });
		const key = () => [...parents, own].join("/").toLowerCase();
		let own = name;
		for (let n = 2; taken.has(key()); n += 1) own = name.replace(/(\.[^.]*)?$/, ` (${n})$1`);
		taken.add(key());
		const stream = await (await place.getFileHandle(own, { create: true })).createWritable();
		await (await api.blob(item.result.url)).stream().pipeTo(stream);
	}
	return items.length;
}
