// One picture before and after, large, with settings of its own.

import * as api from "./api.js";
import { button, iconButton, make, show } from "./dom.js";
import { controls, formatName } from "./panel.js";
import { isKept } from "./rows.js";
import { bytes, label, percent, saved, t } from "./words.js";

const STEP = 0.25; // of the zoom
const LEAST = 0.05;
const MOST = 32;
const GRID = 4; // from this zoom on
const ARROW = 0.02; // of the width
const PAN = 40; // pixels, by an arrow key

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Compare {
	urls = [];

	// actions: neighbour(item, by), change(item, settings), download(item), settings(item), closed(first)
	constructor(dialog, actions) {
		Object.assign(this, { dialog, actions });
		dialog.onclose = () => this.#closed();
		dialog.onkeydown = (event) => this.#key(event);
		new ResizeObserver(() => dialog.open && this.#show()).observe(dialog);
	}

	open(item) {
		this.#build(item);
		if (!this.dialog.open) {
			this.first = item;
			this.dialog.showModal();
		}
		this.handle.focus();
		this.#load();
	}

	update(item) {
		if (!this.dialog.open || item !== this.item) return;
		this.#words();
		if (item.state === "done" && item.result.url !== this.shown) this.#load();
	}

	#build(item) {
		Object.assign(this, { item, split: 0.5, fitted: true, shown: null, note: null, width: 0 });
		this.old = make("img", { alt: t("before"), draggable: false });
		this.new = make("img", { alt: t("after"), draggable: false });
		this.view = make("div.view", {}, this.old, this.new);
		this.grid = make("div.grid", { ariaHidden: true });
		this.handle = make("div.handle", { role: "slider", tabIndex: 0, ariaLabel: t("handle") });
		this.stage = make("div.stage", {}, this.view, this.grid, this.handle);
		this.left = make("p.corner.left");
		this.right = make("p.corner.right", { role: "status" });
		this.zoomed = make("output.zoomed");
		const press = (key, text, onclick, name = t(key)) => label(button(text, onclick), name);
		this.own = make("details.own", {}, make("summary", {}, t("settings")), make("div.controls"));
		this.#controls();
		this.dialog.replaceChildren(
			this.stage, this.left, this.right,
			make("div.foot", {}, make("div.bar", {},
				press("previous", "‹", () => this.#go(-1)), press("next", "›", () => this.#go(1)),
				make("span.name", { dir: "auto", title: item.path }, item.path),
				press("zoom_out", "−", () => this.#zoom(-1)), this.zoomed, press("zoom_in", "+", () => this.#zoom(1)),
				press("fit", t("fit"), () => this.fit()), press("actual", "1:1", () => this.#scaleTo(this.#actual), `1:1, ${t("actual")}`),
				iconButton("download", t("download_of", { name: item.path }), () => this.actions.download(this.item)),
				iconButton("remove", t("close"), () => this.dialog.close())),
			this.own));
		label(this.dialog, t("compare_of", { name: item.path }));
		this.#pointers();
		this.#words();
	}

	#controls() {
		const { item } = this;
		const settings = this.actions.settings(item);
		const changed = (change) => {
			this.actions.change(item, { ...this.actions.settings(item), ...change });
			if ("format" in change) this.#controls();
		};
		this.own.lastChild.replaceChildren(...(item.file ? controls(settings, changed) : [t("not_at_hand")]));
	}

	#words() {
		const { item } = this;
		show(this.left, this.note ?? `${t("before")} · ${bytes(item.size)}`);
		const busy = item.state !== "done" && item.state !== "failed";
		const figure = isKept(item) ? t("kept") : saved(item.size, item.result.bytes);
		show(this.right, busy ? t("converting") : item.state === "failed" ? t("failed_again") : `${formatName(item.result.format)} · ${bytes(item.result.bytes)} · ${figure}`);
	}

	async #load() {
		const { item } = this;
		const { url } = item.result;
		this.shown = url;
		try {
			if (!this.old.src && item.file) {
				this.old.src = this.#hold(item.file);
				await this.old.decode().catch(() => this.#without());
			} else if (!item.file) this.#without();
			const after = this.#hold(await api.blob(url));
			if (item !== this.item || url !== this.shown) return;
			// What was there stays in view meanwhile.
			await make("img", { src: after }).decode();
			this.new.src = after;
			await this.new.decode();
		} catch {
			show(this.right, t("not_shown"));
			return;
		}
		const { width = this.new.naturalWidth, height = this.new.naturalHeight } = item.original;
		Object.assign(this, { width, height });
		this.#show();
	}

	// The result alone.
	#without() {
		this.old.hidden = true;
		this.split = 0;
		this.note = t(this.item.file ? "before_not_shown" : "not_at_hand");
		this.#words();
	}

	#hold(blob) {
		const url = URL.createObjectURL(blob);
		this.urls.push(url);
		return url;
	}

	#letGo() {
		this.urls.splice(0).forEach((url) => URL.revokeObjectURL(url));
	}

	#closed() {
		this.#letGo();
		this.dialog.replaceChildren();
		this.actions.closed(this.first);
	}

	#go(by) {
		const other = this.actions.neighbour(this.item, by);
		if (!other) return;
		this.#letGo();
		this.open(other);
	}

	#show() {
		if (this.fitted) this.fit();
		else this.#draw();
	}

	// 1:1 with the screen.
	get #actual() {
		return 1 / devicePixelRatio;
	}

	fit() {
		const { clientWidth, clientHeight } = this.stage;
		this.fitted = true;
		this.scale = Math.min(clientWidth / this.width, clientHeight / this.height, this.#actual);
		this.x = (clientWidth - this.width * this.scale) / 2;
		this.y = (clientHeight - this.height * this.scale) / 2;
		this.#draw();
	}

	// What is at this point of the stage stays there.
	#scaleTo(scale, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
		if (!this.width) return;
		const next = clamp(scale, LEAST * this.#actual, MOST * this.#actual);
		this.x = x - ((x - this.x) / this.scale) * next;
		this.y = y - ((y - this.y) / this.scale) * next;
		this.scale = next;
		this.fitted = false;
		this.#draw();
	}

	#zoom(direction, x, y) {
		const now = this.scale / this.#actual;
		const step = now >= 2 ? now * STEP : STEP;
		this.#scaleTo(clamp(Math.round((now + direction * step) / STEP) * STEP, STEP, MOST) * this.#actual, x, y);
	}

	#draw() {
		if (!this.width) return;
		const { width, height, x, y, scale } = this;
		Object.assign(this.view.style, { width: `${width}px`, height: `${height}px`, transform: `translate(${x}px, ${y}px) scale(${scale})` });
		const cut = clamp((this.split * this.stage.clientWidth - x) / scale, 0, width);
		this.new.style.clipPath = `inset(0 0 0 ${cut}px)`;
		this.old.style.clipPath = `inset(0 ${width - cut}px 0 0)`;
		this.handle.style.left = `${this.split * 100}%`;
		this.handle.ariaValueNow = Math.round(this.split * 100);
		const size = scale / this.#actual;
		this.dialog.classList.toggle("pixels", size >= 1.99);
		this.grid.hidden = size < GRID;
		Object.assign(this.grid.style, { backgroundSize: `${scale}px ${scale}px`, backgroundPosition: `${x}px ${y}px` });
		show(this.zoomed, percent(size));
	}

	#pan(x, y) {
		this.x += x;
		this.y += y;
		this.fitted = false;
		this.#draw();
	}

	#splitTo(split) {
		this.split = clamp(split, 0, 1);
		this.#draw();
	}

	#pointers() {
		const { stage, handle } = this;
		const down = new Map();
		let sliding = false;
		let apart = 0;
		// The stage fills the window.
		const spot = ({ clientX, clientY }) => ({ x: clientX, y: clientY });
		const gap = () => {
			const [a, b] = down.values();
			return Math.hypot(a.x - b.x, a.y - b.y);
		};
		stage.onpointerdown = (event) => {
			stage.setPointerCapture(event.pointerId);
			sliding = event.target === handle;
			down.set(event.pointerId, spot(event));
			if (down.size === 2) apart = gap();
		};
		stage.onpointermove = (event) => {
			const last = down.get(event.pointerId);
			const now = spot(event);
			if (!last) return;
			down.set(event.pointerId, now);
			if (sliding) this.#splitTo(now.x / stage.clientWidth);
			else if (down.size === 2) {
				const [a, b] = down.values();
				this.#scaleTo((this.scale * gap()) / apart, (a.x + b.x) / 2, (a.y + b.y) / 2);
				apart = gap();
			} else this.#pan(now.x - last.x, now.y - last.y);
		};
		stage.onpointerup = stage.onpointercancel = (event) => {
			down.delete(event.pointerId);
			sliding = false;
		};
		stage.ondblclick = (event) => {
			if (event.target === handle) return;
			const { x, y } = spot(event);
			if (this.fitted) this.#scaleTo(this.#actual, x, y);
			else this.fit();
		};
		stage.onwheel = (event) => {
			event.preventDefault();
			const { x, y } = spot(event);
			this.#zoom(event.deltaY < 0 ? 1 : -1, x, y);
		};
	}

	#key(event) {
		if (event.target.matches("input, select")) return;
		const step = (by) => (event.altKey ? this.#go(by) : event.shiftKey ? this.#pan(-by * PAN, 0) : this.#splitTo(this.split + by * ARROW));
		const act = {
			"+": () => this.#zoom(1), "=": () => this.#zoom(1), "-": () => this.#zoom(-1), 0: () => this.fit(), 1: () => this.#scaleTo(this.#actual),
			ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => this.#pan(0, PAN), ArrowDown: () => this.#pan(0, -PAN), Home: () => this.#splitTo(0), End: () => this.#splitTo(1),
		}[event.key];
		if (!act) return;
		event.preventDefault();
		act();
	}
}
