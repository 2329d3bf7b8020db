// Results on their way to this computer.

import * as api from "./api.js";
import { make } from "./dom.js";
import { pathOf } from "./settings.js";

const SHORT = 60000; // ms that an address of a file in memory is good

export const canSaveFolder = "showDirectoryPicker" in window;

function offer(url, name) {
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

function offerBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  offer(url, name);
  setTimeout(() => URL.revokeObjectURL(url), SHORT);
}

export async function one(item, pattern) {
  const name = pathOf(item, pattern).split("/").pop();
  // A link cannot carry the key. Elsewhere the server's own name would win over the pattern.
  offerBlob(await api.blob(item.result.url), name);
}

export async function all(items, pattern) {
  const files = items.map((item) => ({ ...item.job, path: pathOf(item, pattern) }));
  offerBlob(await (await api.archive(files)).blob(), "pictures.zip");
}

// Write each into its folder; equal names get a number, as in the ZIP. Null if no folder was chosen.
export async function folder(items, pattern, step) {
  let top;
  try {
    top = await showDirectoryPicker({ mode: "readwrite" });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
  const taken = new Map();
  for (const [done, item] of items.entries()) {
    const [name, ...parents] = pathOf(item, pattern).split("/").reverse();
    let place = top;
    for (const parent of parents.reverse().filter((part) => part && part !== "." && part !== "..")) place = await place.getDirectoryHandle(parent, { create: true });
    const key = [...parents, name].join("/").toLowerCase();
    const count = (taken.get(key) ?? 0) + 1;
    taken.set(key, count);
    const own = count === 1 ? name : name.replace(/(\.[^.]*)?$/, ` (${count})$1`);
    const file = await place.getFileHandle(own, { create: true });
    const stream = await file.createWritable();
    await (await api.blob(item.result.url)).stream().pipeTo(stream);
    step(done + 1);
  }
  return items.length;
}
