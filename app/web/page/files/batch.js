// The pictures at hand: sent a few at a time, followed, kept.

import * as api from "./api.js";
import { sideOf, share } from "./errors.js";
import { Follower, nameOf } from "./follow.js";
import * as kept from "./kept.js";
import { fields, instead } from "./settings.js";
import { shrunk } from "./shrink.js";

const AT_ONCE = 3; // uploads
const LONGEST = 15; // s between two tries

// A file may be moved, or be a folder.
const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

const goesOn = ({ state }) => state === "queued" || state === "converting";

export class Batch {
	items = [];
	settings;
	limit = Infinity; // bytes of a picture
	pause = null; // {until, offline}: nothing is asked of the server before
	locked = false; // until there is a key

	#sending = 0;
	#tries = 0;
	#on;
	#follower = new Follower({
		open: () => (this.pause || this.locked ? [] : this.items.filter(goesOn)),
		told: (told, path) => this.#each(told, (item) => this.#take(item, told, path)),
		gone: (job) => this.#each(job, (item) => this.#gone(item)),
		troubled: (error) => this.#troubled(error),
	});

	// on: added(items), changed(item), removed(item), paused(), locked()
	constructor(settings, on) {
		this.settings = settings;
		this.#on = on;
	}

	add(files) {
		const items = files.map(({ file, path }, n) => ({ id: `${Date.now()}-${1e6 + n}-${Math.random()}`, file, path, state: "waiting", part: 0, own: null }));
		this.items.push(...items);
		this.#on.added([...items]);
		this.pump();
	}

	// It takes a while.
	measure(item) {
		item.size ??= item.file.size;
		if (item.state === "waiting" && !item.smaller && item.size > this.limit) this.#fail(item, "size_exceeded");
	}

	// Of before a reload, or of a closed tab.
	restore(found) {
		const items = found.filter(({ id }) => !this.items.some((item) => item.id === id));
		this.items.push(...items);
		this.#on.added([...items]);
		this.#follower.update();
	}

	remove(...items) {
		for (const item of items) {
			this.#stop(item);
			item.state = "removed";
			this.#on.removed(item);
		}
		this.items = this.items.filter(({ state }) => state !== "removed");
		kept.drop(...items);
		this.pump();
	}

	#stop(item) {
		item.abort?.abort();
		if (item.state === "queued") api.withdraw(item.job);
	}

	// The result that is there stays until the next one is.
	redo(item, own = item.own) {
		if (!item.file) return;
		this.#stop(item);
		Object.assign(item, { own, state: "waiting", part: 0, error: null, forced: null });
		this.#on.changed(item);
		this.pump();
	}

	// Rejects if the browser cannot read the file.
	async shrink(item) {
		const { error, used, original, file } = item;
		const side = sideOf(error);
		if (side || error.code === "too_many_bytes") {
			// What was asked for last, halved, or what the format holds.
			const half = (name) => side || Math.ceil((used[name] ?? original[name]) / 2);
			this.redo(item, { ...used, width: half("width"), height: half("height") });
		} else {
			item.smaller = await shrunk(file, share(item, this.limit), this.limit);
			this.redo(item);
		}
	}

	// Those converted with other settings.
	outdated() {
		const now = JSON.stringify(fields(this.settings));
		return this.items.filter((item) => item.file && item.used && (item.state === "done" || item.state === "failed") && !item.own && JSON.stringify(fields(item.used)) !== now);
	}

	resume() {
		this.pause = null;
		this.locked = false;
		this.#on.paused();
		this.pump();
		this.#follower.update();
	}

	pump() {
		while (!this.pause && !this.locked && this.#sending < AT_ONCE) {
			const item = this.items.find((one) => one.state === "waiting");
			if (!item) return;
			this.measure(item);
			if (item.state === "waiting") this.#send(item);
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
			const answer = await api.upload(item.smaller ?? item.file, name, { ...fields(used, name), ...item.forced }, (part) => {
				item.part = part;
				this.#on.changed(item);
			}, abort.signal);
			this.#tries = 0;
			const { md5, format, quality, options = {} } = answer;
			item.job = { md5, format, quality, options };
			item.instead = used.format === "same" && (item.forced || instead(used, name));
			Object.assign(item, { state: "queued", part: 1, place: null, at: Date.now() });
			kept.keep(item);
			this.#on.changed(item);
		} catch (error) {
			if (error.status === 0 && !(await isReadable(item.file))) Object.assign(error, { status: 400, code: "unreadable" });
			if (item.abort === abort && item.state === "sending") this.#refused(item, used, error);
		} finally {
			this.#sending -= 1;
			this.pump();
			this.#follower.update();
		}
	}

	#refused(item, used, error) {
		if (!(error instanceof api.Refusal)) throw error;
		item.state = "waiting";
		if (error.code === "unsupported_format" && used.format === "same" && !item.forced) {
			item.forced = { format: "jpg", alpha: "refuse" };
		} else if (error.status === 401 || error.passes) {
			this.#troubled(error);
		} else {
			this.#fail(item, error.code, error.message);
		}
		this.#on.changed(item);
	}

	#fail(item, code, message) {
		Object.assign(item, { state: "failed", error: { code, message } });
		kept.drop(item);
		this.#on.changed(item);
	}

	// Ask nothing more until there is a key, or for a while.
	#troubled(error) {
		if (error.status === 401) {
			if (!this.locked) this.#on.locked();
			this.locked = true;
		} else if (!this.pause) {
			this.#tries += 1;
			const seconds = error.retryAfter ?? Math.min(LONGEST, 2 ** this.#tries);
			const pause = { until: Date.now() + seconds * 1000, offline: error.status === 0 };
			this.pause = pause;
			this.#on.paused();
			setTimeout(() => this.pause === pause && this.resume(), seconds * 1000);
		}
	}

	// A batch may have a picture twice.
	#each(job, take) {
		const name = nameOf(job);
		for (const item of this.items) if (goesOn(item) && nameOf(item.job) === name) take(item);
	}

	#gone(item) {
		if (item.file) this.expire(item);
		else this.remove(item);
	}

	expire(item) {
		this.#fail(item, "expired");
	}

	#take(item, told, path) {
		this.#tries = 0;
		item.original = { width: told.original_width, height: told.original_height };
		if (told.status === "failed") {
			const code = told.error?.code;
			if (code === "transparent" && item.file) {
				Object.assign(item, { forced: { format: "png", alpha: "" }, state: "waiting", part: 0 });
				this.pump();
			} else this.#fail(item, code ?? "processing_failed", told.error?.message);
		} else if (told.status === "done") {
			item.result = { bytes: told.result_bytes, width: told.result_width, height: told.result_height, url: api.absolute(told.download_url, path), format: told.format };
			item.job.format = told.format;
			item.state = "done";
		} else {
			item.state = told.status === "processing" ? "converting" : "queued";
			item.place = told.place ?? null;
		}
		this.#on.changed(item);
	}
}
