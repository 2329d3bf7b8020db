// What outlives the page until the results are deleted: the pictures, in the browser's own database.

import { tab } from "./store.js";

const MOST = 500e6; // bytes of files
const SOON = 250; // ms in which other tabs answer
const HERE = new URL("../../", import.meta.url).pathname; // a host may have several servers

const batch = tab.get("batch") ?? Math.random();
tab.put("batch", batch);

let database;
let held = 0; // bytes

// What the database answers; undefined where it is off or full.
async function ask(work) {
	try {
		database ??= await new Promise((resolve, onerror) => {
			const onupgradeneeded = ({ target }) => target.result.createObjectStore("pictures", { keyPath: "id" });
			Object.assign(indexedDB.open(HERE), { onupgradeneeded, onsuccess: ({ target }) => resolve(target.result), onerror });
		});
		return await new Promise((resolve, onerror) => {
			const request = work(database.transaction("pictures", "readwrite").objectStore("pictures"));
			Object.assign(request, { onsuccess: () => resolve(request.result), onerror });
		});
	} catch {}
}

const all = async () => ((await ask((store) => store.getAll())) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));

export function keep(item) {
	if (!item.kept) held += item.size;
	item.kept = true;
	const file = held > MOST ? null : item.file;
	ask((store) => store.put({ ...item, batch, file, smaller: null, abort: null }));
	return item;
}

export function drop(item) {
	if (item.kept) held -= item.size;
	item.kept = false;
	ask((store) => store.delete(item.id));
}

// Drop pictures whose results are deleted by now.
export async function prune(hours) {
	const items = await all();
	held = items.reduce((sum, item) => sum + item.size, 0);
	items.filter(({ at }) => at < Date.now() - hours * 3.6e6).forEach(drop);
}

// Tabs ask each other for their batches.
const tabs = new BroadcastChannel(HERE);
const open = new Set();
tabs.onmessage = ({ data }) => (data ? open.add(data) : tabs.postMessage(batch));

// The pictures of this tab, the oldest first.
export const mine = async () => (await all()).filter((item) => item.batch === batch);

// Those of tabs that are closed.
export async function left() {
	open.clear();
	tabs.postMessage(0);
	await new Promise((wake) => setTimeout(wake, SOON));
	return (await all()).filter((item) => item.batch !== batch && !open.has(item.batch));
}
