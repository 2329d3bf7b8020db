// The pictures at hand: sent a few at a time, followed, kept over a reload.

import * as api from "./api.js";
import { fields, instead } from "./settings.js";
import * as store from "./store.js";

const AT_ONCE = 3; // uploads
const LANES = 2; // questions for a status
const ASKED = 8; // pictures in a round of questions
const ROUND = 200; // ms between two rounds
const LONGEST = 15; // s between two tries to reach the server
const KEPT = "item:";

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
const isSame = (job, other) =>
  job.format === other.format && job.quality === other.quality && JSON.stringify(job.options ?? {}) === JSON.stringify(other.options ?? {});

export class Batch {
  items = [];
  settings;
  limit = Infinity; // bytes of a picture
  pause = null; // {until, offline}: nothing is asked of the server before
  locked = false; // until there is a key

  #sending = 0;
  #polling = false;
  #tries = 0;
  #turn = 0;
  #on;

  // on: added(items), changed(item), removed(item), paused(), locked()
  constructor(settings, on) {
    this.settings = settings;
    this.#on = on;
  }

  add(files) {
    const items = files.map(({ file, path }) => ({ id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, file, path, size: file.size, state: "waiting", part: 0, own: null }));
    this.items.push(...items);
    this.#on.added([...items]);
    for (const item of items) if (item.size > this.limit) this.#fail(item, "size_exceeded");
    this.pump();
  }

  // The pictures of the last visit whose results may still be there.
  restore() {
    const items = store.names(KEPT).map((name) => store.get(name)).filter((item) => item?.id && item.job?.md5);
    items.sort((a, b) => a.at - b.at);
    this.items = items.map((item) => ({ ...item, file: null, part: 1, own: null, state: "queued", restored: true }));
    if (items.length) this.#on.added([...this.items]);
    this.#poll();
  }

  remove(item) {
    this.#stop(item);
    item.state = "removed";
    this.items = this.items.filter((other) => other !== item);
    store.drop(KEPT + item.id);
    this.#on.removed(item);
    this.pump();
  }

  #stop(item) {
    item.abort?.abort();
    if (item.state === "queued") api.withdraw(item.job);
  }

  // Convert a picture anew; the result that is there stays until the next one is.
  redo(item, own = item.own) {
    if (!item.file) return;
    this.#stop(item);
    Object.assign(item, { own, state: "waiting", part: 0, error: null, forced: null, restored: false });
    this.#on.changed(item);
    this.pump();
  }

  // Those that were converted with other settings than there are now.
  get outdated() {
    const now = JSON.stringify(fields(this.settings));
    return this.items.filter((item) => item.file && item.state === "done" && !item.own && JSON.stringify(fields(item.used)) !== now);
  }

  unlock() {
    this.locked = false;
    this.resume();
  }

  resume() {
    this.pause = null;
    this.#on.paused();
    this.pump();
    this.#poll();
  }

  pump() {
    while (!this.pause && !this.locked && this.#sending < AT_ONCE) {
      const item = this.items.find((one) => one.state === "waiting");
      if (!item) return;
      this.#send(item);
    }
  }

  async #send(item) {
    const abort = new AbortController();
    const used = item.own ?? this.settings;
    Object.assign(item, { abort, used: { ...used }, state: "sending", part: 0 });
    this.#sending += 1;
    this.#on.changed(item);
    const name = item.path.slice(item.path.lastIndexOf("/") + 1);
    try {
      const answer = await api.upload(item.file, name, { ...fields(used, name), ...item.forced }, (part) => {
        item.part = part;
        this.#on.changed(item);
      }, abort.signal);
      this.#tries = 0;
      item.job = { md5: answer.md5, format: answer.format, quality: answer.quality, options: answer.options ?? {} };
      item.instead = used.format === "same" && (item.forced || instead(used, name)) ? answer.format : null;
      Object.assign(item, { state: "queued", part: 1, place: null, at: Date.now() });
      this.#keep(item);
      this.#on.changed(item);
    } catch (error) {
      if (item.abort === abort && item.state === "sending") this.#refused(item, used, error);
    } finally {
      this.#sending -= 1;
      this.pump();
      this.#poll();
    }
  }

  #refused(item, used, error) {
    if (!(error instanceof api.Refusal)) throw error;
    if (error.code === "unsupported_format" && used.format === "same" && !item.forced) {
      this.#instead(item, { format: "jpg", alpha: "refuse" });
    } else if (error.status === 401) {
      item.state = "waiting";
      this.#lock();
    } else if (error.passes) {
      item.state = "waiting";
      this.#wait(error);
    } else {
      this.#fail(item, error.code, error.message);
    }
    this.#on.changed(item);
  }

  #instead(item, forced) {
    Object.assign(item, { forced, state: "waiting", part: 0 });
    this.#on.changed(item);
    this.pump();
  }

  #fail(item, code, message) {
    Object.assign(item, { state: "failed", error: { code, message } });
    store.drop(KEPT + item.id);
    this.#on.changed(item);
  }

  #lock() {
    if (this.locked) return;
    this.locked = true;
    this.#on.locked();
  }

  // Nothing more is asked for a while; then all goes on by itself.
  #wait(error) {
    if (this.pause) return;
    this.#tries += 1;
    const seconds = error.retryAfter ?? Math.min(LONGEST, 2 ** this.#tries);
    const pause = { until: Date.now() + seconds * 1000, offline: error.status === 0 };
    this.pause = pause;
    this.#on.paused();
    setTimeout(() => this.pause === pause && this.resume(), seconds * 1000);
  }

  async #poll() {
    if (this.#polling) return;
    this.#polling = true;
    try {
      while (!this.pause && !this.locked) {
        const open = this.items.filter((item) => item.state === "queued" || item.state === "converting");
        if (!open.length) return;
        // The oldest are done next; of the others each is asked about in its turn.
        const round = open.slice(0, ASKED / 2);
        const rest = open.slice(ASKED / 2);
        for (let n = 0; n < Math.min(ASKED / 2, rest.length); n += 1) round.push(rest[this.#turn++ % rest.length]);
        const wait = open.length <= LANES ? 1 : 0;
        await Promise.all(Array.from({ length: LANES }, async () => {
          for (let item = round.shift(); item && !this.pause; item = round.shift()) await this.#ask(item, wait);
        }));
        if (!wait) await sleep(ROUND);
      }
    } finally {
      this.#polling = false;
    }
  }

  async #ask(item, wait) {
    const { job } = item;
    try {
      const jobs = await api.status(job.md5, wait);
      this.#tries = 0;
      if (item.job === job) this.#take(item, jobs.find((one) => isSame(one, job)));
    } catch (error) {
      if (!(error instanceof api.Refusal)) throw error;
      if (error.status === 401) this.#lock();
      else if (error.passes) this.#wait(error);
      else if (item.job === job) this.#take(item, undefined);
    }
  }

  #take(item, told) {
    if (item.state !== "queued" && item.state !== "converting") return;
    if (!told) {
      item.state = "expired";
      if (item.restored) this.remove(item);
      else this.#fail(item, "expired");
      return;
    }
    item.original = { bytes: told.original_bytes, width: told.original_width, height: told.original_height };
    if (told.status === "failed") {
      if (told.error?.code === "transparent" && item.file) this.#instead(item, { format: "png", alpha: "" });
      else this.#fail(item, told.error?.code ?? "processing_failed", told.error?.message);
      return;
    }
    if (told.status === "done") {
      item.result = { bytes: told.result_bytes, width: told.result_width, height: told.result_height, url: api.absolute(told.download_url), format: told.format };
      item.state = "done";
      this.#keep(item);
    } else {
      item.state = told.status === "processing" ? "converting" : "queued";
      item.place = told.place ?? null;
    }
    this.#on.changed(item);
  }

  #keep(item) {
    const { id, path, size, job, used, at, result, original } = item;
    store.put(KEPT + id, { id, path, size, job, used, at, result, original, instead: item.instead });
  }
}
