// How the pictures go: told over one socket or, where none can be opened, asked for.

import * as api from "./api.js";

const AT_ONCE = 40; // pictures that are followed, the oldest
const QUIET = 5000; // ms without a picture until the socket is closed
const DEAF = 20000; // ms of silence until it is opened anew
const WITHOUT = 60000; // ms until one is tried again
const ROUND = 2; // of the oldest and of others that are asked for
const PAUSE = 300; // ms between two rounds
const WAIT = 5; // s, if few are left

// Of a conversion. One of several formats tells which when done.
export const nameOf = ({ md5, format, quality, options = {} }) => JSON.stringify([md5, options.formats ?? format, quality, options]);

export class Follower {
	#socket = null;
	#followed = new Set();
	#without = 0; // until when no socket is tried
	#asking = false;
	#turn = 0;
	#timer;
	#heard = 0; // when something came
	#on;

	// on: open() gives those that go on, told(answer, path it is relative to), gone(job), troubled(refusal)
	constructor(on) {
		this.#on = on;
		addEventListener("offline", () => this.#lose(new api.Refusal(0)));
	}

	// Other pictures, or the server may be there again.
	update() {
		clearTimeout(this.#timer);
		const open = this.#on.open();
		if (!open.length) {
			this.#timer = setTimeout(() => this.#lose(), QUIET);
		} else if (Date.now() < this.#without) {
			this.#ask(open);
		} else {
			if (!this.#socket) this.#connect();
			else if (this.#socket.readyState === WebSocket.OPEN) this.#follow(open);
			this.#timer = setTimeout(() => {
				this.#lose();
				this.update();
			}, this.#heard + DEAF - Date.now());
		}
	}

	#follow(open) {
		for (const { job } of open.slice(0, AT_ONCE)) {
			const name = nameOf(job);
			if (this.#followed.has(name)) continue;
			this.#followed.add(name);
			const { md5, format, quality, options } = job;
			this.#socket.send(JSON.stringify({ follow: md5, format, quality, options, progress: true, details: true }));
		}
	}

	#connect() {
		const socket = api.socket();
		let opened = false;
		this.#socket = socket;
		this.#heard = Date.now();
		socket.onopen = () => {
			opened = true;
			this.update();
		};
		socket.onmessage = ({ data }) => {
			this.#heard = Date.now();
			const told = JSON.parse(data);
			if (told.format) this.#hear(told);
			else if (told.md5) this.#refused(told);
			this.update();
		};
		socket.onclose = ({ code, reason }) => {
			// A proxy may let none through: a question tells.
			if (!opened) this.#without = Date.now() + WITHOUT;
			this.#lose(!opened || code === 1000 ? null : new api.Refusal(reason === "unauthorized" ? 401 : 0));
			this.update();
		};
	}

	#hear(told) {
		const { status } = told;
		if (status === "error" || status === "done") this.#followed.delete(nameOf(told));
		this.#on.told(status === "error" ? { ...told, status: "failed" } : told, "ws");
	}

	// The message failed, not the conversion.
	#refused({ md5, error }) {
		for (const { job } of this.#on.open().filter(({ job }) => job.md5 === md5)) {
			this.#followed.delete(nameOf(job));
			if (error?.code === "not_found") this.#on.gone(job);
			else this.#on.troubled(new api.Refusal(503));
		}
	}

	#lose(refusal = null) {
		const socket = this.#socket;
		this.#socket = null;
		this.#followed.clear();
		if (!socket) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close();
		if (refusal) this.#on.troubled(refusal);
	}

	async #ask(open) {
		if (this.#asking) return;
		this.#asking = true;
		const wait = open.length < ROUND ? WAIT : 0;
		// The oldest are done next; the others take turns.
		const round = open.slice(0, ROUND);
		for (let n = 0; n < ROUND; n += 1) round.push(open[this.#turn++ % open.length]);
		try {
			await Promise.all([...new Set(round)].map(async ({ job }) => {
				const jobs = await api.status(job.md5, wait);
				const told = jobs.find((one) => nameOf(one) === nameOf(job));
				if (told) this.#on.told(told, "status/x");
				else this.#on.gone(job);
			}));
			if (!wait) await new Promise((wake) => setTimeout(wake, PAUSE));
		} catch (error) {
			if (!(error instanceof api.Refusal)) throw error;
			if (!error.status) this.#without = 0;
			this.#on.troubled(error);
		}
		this.#asking = false;
		this.update();
	}
}
