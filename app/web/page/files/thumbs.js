// Small pictures of what is in view, a few at a time, from the local file or else from the result.

import * as api from "./api.js";

const AT_ONCE = 2;
const SIDE = 96;

const waiting = [];
let busy = 0;

const observer = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) want(target);
}, { rootMargin: "200px" });

const rows = new WeakMap();

// Draw on `canvas` when it comes into view; false is told where that cannot be.
export function watch(canvas, item, drawn) {
  rows.set(canvas, { item, drawn });
  observer.observe(canvas);
}

export function forget(canvas) {
  observer.unobserve(canvas);
}

function want(canvas) {
  const { item } = rows.get(canvas);
  if (!item.file && !item.result) return;
  observer.unobserve(canvas);
  waiting.push(canvas);
  next();
}

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
  } finally {
    busy -= 1;
    next();
  }
}

async function draw(canvas, item) {
  let source;
  try {
    if (!item.file) throw new Error("no file");
    source = await createImageBitmap(item.file);
  } catch (error) {
    if (!item.result) throw error;
    source = await createImageBitmap(await api.blob(item.result.url));
  }
  const scale = Math.max(SIDE / source.width, SIDE / source.height);
  const [width, height] = [source.width * scale, source.height * scale];
  canvas.width = canvas.height = SIDE;
  canvas.getContext("2d").drawImage(source, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  source.close();
}
