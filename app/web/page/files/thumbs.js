// Small pictures of what is in view, from the file or else from the result.

import * as api from "./api.js";

const AT_ONCE = 2;
const SIDE = 96;

const waiting = [];
const rows = new WeakMap();
let busy = 0;

const observer = new IntersectionObserver((seen) => {
	for (const { isIntersecting, target } of seen) {
		const { item } = rows.get(target);
		if (!isIntersecting || !(item.file || item.result)) continue;
		observer.unobserve(target);
		waiting.push(target);
		next();
	}
}, { rootMargin: "200px" });

// Drawn when it comes into view; false is told where it cannot be.
export function watch(canvas, item, drawn) {
	rows.set(canvas, { item, drawn });
	observer.observe(canvas);
}

export const forget = (canvas) => observer.unobserve(canvas);

async function next() {
	if (busy >= AT_ONCE || !waiting.length) return;
	busy += 1;
	const canvas = waiting.shift();
	const { item, drawn } = rows.get(canvas);
	try {
		if (canvas.isConnected) await draw(canvas, item);
		drawn(true);
	} catch {
		drawn(false);
	}
	busy -= 1;
	next();
}

// Decoded beside the page's own thread.
const small = (blob) => createImageBitmap(blob, { resizeHeight: SIDE, resizeQuality: "medium" });

async function draw(canvas, { file, result }) {
	let source = file && await small(file).catch(() => null);
	source ??= await small(await api.blob(result.url));
	const scale = Math.max(1, SIDE / source.width);
	const [width, height] = [source.width * scale, source.height * scale];
	canvas.width = canvas.height = SIDE;
	canvas.getContext("2d").drawImage(source, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
	source.close();
}
