// The page, wired.

import * as api from "./api.js";
import { Batch } from "./batch.js";
import { Compare } from "./compare.js";
import { button, icon, make, show } from "./dom.js";
import * as drop from "./drop.js";
import { canRetry } from "./errors.js";
import { keep, left, mine, prune } from "./kept.js";
import { panel } from "./panel.js";
import { Row } from "./rows.js";
import * as save from "./save.js";
import { PRESETS, curl, first, preset, remember } from "./settings.js";
import { visits } from "./store.js";
import { bytes, choose, limit, load, saved, t } from "./words.js";

const ROWS = 25; // in a frame: a thousand would hold the page up
const RETRY = 2000; // ms

const at = (id) => document.getElementById(id);
const rows = new Map();
let batch;
let compare;
let message = null; // what a download came to

const inState = (state) => batch.items.filter((item) => item.state === state);

function summary() {
	const { items } = batch;
	document.body.classList.toggle("empty", !items.length);
	at("summary").hidden = !items.length;
	if (!items.length) return;
	const done = inState("done");
	const failed = inState("failed").length;
	const left = items.length - done.length - failed;
	const sum = (list, value) => list.reduce((all, item) => all + value(item), 0);
	const before = sum(done, (item) => item.size);
	const after = sum(done, (item) => item.result.bytes);
	const total = [make("span.sizes", {}, `${bytes(before)} → ${bytes(after)}`), make(after > before ? "strong.saved.more" : "strong.saved", {}, saved(before, after))];
	at("total").replaceChildren(t("pictures", { n: items.length }), " ", ...(done.length ? total : []));
	// Sending is half of it.
	at("progress").value = sum(items, ({ state, part }) => (state === "done" || state === "failed" ? 1 : part / 2)) / items.length;
	at("progress").classList.toggle("over", !left);
	at("counts").ariaBusy = left * done.length > 0;
	show(at("counts"), [t("done", { n: done.length }), failed && t("failed", { n: failed }), left && t("left", { n: left })].filter(Boolean).join(" · "));
	at("all").disabled = at("save").disabled = !done.length;
	at("again").hidden = !batch.outdated().length;
	at("retry").hidden = !items.some(canRetry);
}

// Once a frame.
const changed = new Set();
function later(item) {
	if (!changed.size) requestAnimationFrame(draw);
	changed.add(item);
}

function draw() {
	for (const item of changed) {
		rows.get(item)?.update();
		if (item) compare.update(item);
	}
	changed.clear();
	summary();
}

function notice() {
	const { pause } = batch;
	const seconds = pause ? Math.max(0, Math.ceil((pause.until - Date.now()) / 1000)) : 0;
	const text = pause ? t(pause.offline ? "offline" : "busy", { seconds }) : message ?? "";
	at("notice").hidden = !text;
	at("notice").classList.toggle("trouble", Boolean(pause));
	show(at("notice"), text);
	if (pause) setTimeout(notice, 500);
}

function say(text) {
	message = text;
	notice();
}

function askKey() {
	at("keys").hidden = false;
	show(at("key_wrong"), api.hasKey() ? t("key_wrong") : "");
	at("key").focus();
}

async function learn() {
	try {
		if (document.documentElement.dataset.keys && !api.hasKey()) throw new api.Refusal(401);
		const told = await api.about();
		batch.limit = told.max_upload_size_bytes;
		batch.age = told.max_age;
		at("keys").hidden = true;
		limits();
		if (batch.locked) batch.resume();
		await prune(batch.age);
	} catch (error) {
		if (error.status === 401) {
			batch.locked = true;
			askKey();
		} else setTimeout(learn, RETRY);
	}
}

function limits() {
	if (batch.age !== undefined) show(at("limits"), t("limits", { size: limit(batch.limit), hours: batch.age }));
}

function refused(error) {
	if (error.status === 401) askKey();
	if (error.code === "results_missing" || error.status === 404) say(t("error_expired"));
	else say(t(error.status === 0 ? "error_offline" : "error_download", { message: error.message }));
}

// Say what comes of a download.
async function tried(work) {
	say(t("preparing"));
	try {
		say(await work());
	} catch (error) {
		refused(error);
	}
}

const download = (item) => tried(() => save.one(item, batch.settings.name).catch((error) => {
	if (error.status === 404) batch.expire(item);
	throw error;
}));

const actions = {
	compare: (item) => item.result && compare.open(item),
	download,
	retry: (item) => batch.redo(item),
	shrink: (item) => batch.shrink(item).catch(() => say(t("not_shrunk"))),
	remove: (item) => batch.remove(item),
};

function drawSettings() {
	const aside = at("settings");
	const controls = () => [...aside.querySelectorAll("input, button")];
	const had = controls().indexOf(document.activeElement);
	const set = (settings, again) => {
		batch.settings = settings;
		remember(settings);
		if (again) drawSettings();
		summary();
	};
	aside.replaceChildren(
		make("div.all", {}, ...panel(batch.settings, {
			changed: (change) => set({ ...batch.settings, ...change }, "format" in change),
			use: (name) => set(preset(name), true),
			presets: Object.keys(PRESETS),
			command: () => curl(batch.settings, api.root, api.hasKey()),
		})),
		button(t("close"), () => sheet(false), { id: "settings_close", className: "main" }),
	);
	controls()[had]?.focus();
}

function sheet(isOpen) {
	at("settings").classList.toggle("open", isOpen);
	at("settings_open").ariaExpanded = isOpen;
	if (isOpen) at("settings").querySelector("input:checked")?.focus();
	else at("settings_open").focus();
}

function speak(language) {
	at("language").value = language;
	at("theme").replaceChildren(icon("theme"));
	limits();
	drawSettings();
	offer();
	for (const row of rows.values()) row.update();
	summary();
	notice();
}

async function offer() {
	const n = (await left()).length;
	at("earlier").hidden = !n;
	show(at("earlier"), t("earlier", { n }));
}

function theme() {
	const { style } = document.documentElement;
	const isDark = style.colorScheme ? style.colorScheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	style.colorScheme = isDark ? "light" : "dark";
	visits.put("theme", style.colorScheme);
}

function wire() {
	const add = (files) => (files.length ? batch.add(files) : say(t("nothing_found")));
	drop.watch({ add, files: at("files"), folders: at("folders"), over: at("over") });
	at("choose").onclick = () => at("files").click();
	at("folder").onclick = () => at("folders").click();
	at("all").onclick = () => {
		say(null);
		save.all(inState("done"), batch.settings.name, at("archive"), refused);
	};
	at("save").hidden = !save.canSaveFolder;
	at("save").onclick = () => tried(async () => {
		const count = await save.folder(inState("done"), batch.settings.name);
		return count === null ? null : t("saved_files", { n: count });
	});
	at("again").onclick = () => batch.outdated().forEach((item) => batch.redo(item));
	at("retry").onclick = () => batch.items.filter(canRetry).forEach((item) => batch.redo(item));
	at("earlier").onclick = async () => {
		at("earlier").hidden = true;
		batch.restore((await left()).map(keep));
	};
	at("clear").onclick = () => {
		batch.remove(...batch.items);
		at("choose").focus();
	};
	at("keys").onsubmit = (event) => {
		event.preventDefault();
		api.useKey(at("key").value.trim());
		learn();
	};
	at("settings_open").onclick = () => sheet(true);
	at("settings").onkeydown = ({ key }) => void (key === "Escape" && sheet(false));
	at("theme").onclick = theme;
	at("language").onchange = async () => speak(await choose(at("language").value));
	addEventListener("online", () => batch.pause && batch.resume());
	addEventListener("beforeunload", (event) => (inState("waiting").length || inState("sending").length) && event.preventDefault());
}

async function start() {
	const language = await load();
	const on = {
		added: (items) => {
			const list = document.createDocumentFragment();
			for (const item of items.splice(0, ROWS)) {
				if (item.state === "removed") continue;
				const row = new Row(item, batch, actions);
				rows.set(item, row);
				list.append(row.element);
			}
			at("list").append(list);
			later(null);
			if (items.length) requestAnimationFrame(() => on.added(items));
		},
		changed: later,
		removed: (item) => {
			rows.get(item)?.remove();
			rows.delete(item);
			later(null);
		},
		paused: notice,
		locked: askKey,
	};
	batch = new Batch(first(), on);
	compare = new Compare(at("compare"), {
		neighbour: (item, by) => {
			const list = batch.items.filter((one) => one.result);
			return list[list.indexOf(item) + by];
		},
		settings: (item) => item.own ?? item.used ?? batch.settings,
		change: (item, settings) => batch.redo(item, settings),
		download,
		closed: (item) => rows.get(item)?.focus(),
	});
	wire();
	speak(language);
	document.querySelector("main").hidden = false;
	await learn();
	batch.restore(await mine());
}

start();
