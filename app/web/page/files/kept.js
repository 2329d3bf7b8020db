// What outlives the page until the results are deleted: the pictures, in IndexedDB.

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
		return await new Promise((resolve, onabort) => {
			const transaction = database.transaction("pictures", "readwrite");
			const request = work(transaction.objectStore("pictures"));
			transaction.commit();
			Object.assign(transaction, { oncomplete: () => resolve(request?.result), onabort });
		});
	} catch {}
}

const all = async () => (await ask((store) => store.getAll())) ?? [];

export function keep(item) {
	if (!item.kept) held += item.size;
	item.kept = true;
	const file = held > MOST ? null : item.file;
	ask((store) => store.put({ ...item, batch, file, smaller: null, abort: null }));
	return item;
}

// In one go: a reload undoes what waits for others.
export function drop(...items) {
	for (const item of items) {
		if (item.kept) held -= item.size;
		item.kept = false;
	}
	ask((store) => void items.forEach(({ id }) => store.delete(id)));
}

// Drop pictures whose results are deleted by now.
export async function prune(hours) {
	const items = await all();
	held = items.reduce((sum, item) => sum + item.size, 0);
	drop(...items.filter(({ at }) => at < Date.now() - hours * 3.6e6));
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
