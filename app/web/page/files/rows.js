// One picture of the list.

import { button, icon, iconButton, make, show } from "./dom.js";
import { canRetry, canShrink, sentence } from "./errors.js";
import { formatName } from "./panel.js";
import * as thumbs from "./thumbs.js";
import { bytes, label, number, percent, saved, t } from "./words.js";

function progress(item, limit) {
	const { state, part, place } = item;
	if (state === "failed") return sentence(item, limit);
	if (state === "sending") return part < 1 ? t("sending", { part: percent(part) }) : t("sent");
	return state === "queued" && place > 1 ? t("place", { n: place - 1 }) : t(state);
}

// None was smaller.
export const isKept = (item) => item.result.bytes === item.size;

export class Row {
	// actions: each is told the item.
	constructor(item, batch, actions) {
		Object.assign(this, { item, batch, actions });
		batch.measure(item);
		this.canvas = make("canvas", { width: 96, height: 96 });
		// For a mouse: the first of the buttons does the same.
		this.thumb = button(icon("picture"), () => actions.compare(item), { className: "thumb", tabIndex: -1, ariaHidden: true });
		this.thumb.prepend(this.canvas);
		this.name = make("span.name", { dir: "auto", title: item.path });
		this.detail = make("span.detail.small");
		this.bar = make("progress", { max: 1 });
		this.sizes = make("span.sizes");
		this.saved = make("strong.saved");
		this.buttons = make("span.actions");
		this.element = make("li.row", {}, this.thumb, make("span.what", {}, this.name, this.detail), make("span.figures", {}, this.sizes, this.saved), this.buttons, this.bar);
		const cut = item.path.lastIndexOf("/") + 1;
		this.name.append(make("span.path", {}, item.path.slice(0, cut)), item.path.slice(cut));
		this.#draw();
		this.update();
	}

	update() {
		const { item } = this;
		const { state, size, result } = item;
		const isDone = state === "done";
		const kept = isDone && isKept(item);
		this.element.dataset.state = state;
		this.element.classList.toggle("kept", kept);
		if (isDone) {
			const format = formatName(item.job.format);
			const plain = (value) => number(value, { useGrouping: false });
			const shape = result.width && `${plain(result.width)} × ${plain(result.height)}`;
			show(this.detail, [format, shape, item.instead && t("instead", { format })].filter(Boolean).join(" · "));
			show(this.sizes, kept ? bytes(size) : `${bytes(size)} → ${bytes(result.bytes)}`);
			show(this.saved, kept ? t("kept") : saved(size, result.bytes));
			this.saved.classList.toggle("more", result.bytes > size);
			if (!this.drawn) this.#draw();
		} else {
			show(this.detail, progress(item, this.batch.limit));
			show(this.sizes, bytes(size));
			show(this.saved, "");
		}
		this.bar.hidden = state !== "sending" && state !== "converting";
		if (state === "sending") this.bar.value = item.part;
		else this.bar.removeAttribute("value");
		label(this.bar, t("progress"));
		this.thumb.disabled = !isDone;
		this.thumb.title = t("compare_of", { name: item.path });
		this.#buttons(state);
	}

	// What cannot be shown is by its result.
	#draw() {
		thumbs.watch(this.canvas, this.item, (drawn) => {
			this.drawn = drawn || this.item.state === "done";
			this.element.classList.toggle("drawn", drawn);
			if (!this.drawn && this.item.state === "done") this.#draw();
		});
	}

	#buttons(state) {
		const shown = state + document.documentElement.lang;
		if (this.shown === shown) return;
		this.shown = shown;
		const { item, actions } = this;
		const act = (name, key) => iconButton(name, t(key, { name: item.path }), () => actions[name](item));
		const focused = this.buttons.contains(document.activeElement);
		this.buttons.replaceChildren(
			...(state === "done" ? [act("compare", "compare_of"), act("download", "download_of")] : []),
			...(canRetry(item) ? [act("retry", "retry_of")] : []),
			...(canShrink(item) ? [button(t("shrink"), () => actions.shrink(item))] : []),
			act("remove", state === "done" || state === "failed" ? "remove_of" : "cancel_of"),
		);
		if (focused) this.buttons.lastChild.focus();
	}

	focus() {
		this.buttons.firstChild.focus();
	}

	remove() {
		thumbs.forget(this.canvas);
		const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
		const focused = this.element.contains(document.activeElement);
		this.element.remove();
		if (focused) (next?.querySelector(".actions button:last-child") ?? document.getElementById("choose")).focus();
	}
}
