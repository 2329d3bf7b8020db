// The page, wired.

import * as api from "./api.js";
import { Batch } from "./batch.js";
import { Compare } from "./compare.js";
import { icon, make, show } from "./dom.js";
import * as drop from "./drop.js";
import { canRetry } from "./errors.js";
import { panel } from "./panel.js";
import { Row } from "./rows.js";
import * as save from "./save.js";
import { PRESETS, curl, first, preset, remember } from "./settings.js";
import { bytes, choose, fill, languages, load, saved, t } from "./words.js";

const ROWS = 50; // that are made in a frame
const RETRY = 2000; // ms between tries to learn what the server allows

const at = (id) => document.getElementById(id);
const rows = new Map();
let batch;
let compare;
let message = null; // what a download came to

function counted() {
  const { items } = batch;
  const done = items.filter((item) => item.state === "done");
  const failed = items.filter((item) => item.state === "failed").length;
  const sum = (list, value) => list.reduce((all, item) => all + value(item), 0);
  return { items, done, failed, before: sum(done, (item) => item.size), after: sum(done, (item) => item.result.bytes), ended: done.length + failed };
}

function summary() {
  const { items, done, failed, before, after, ended } = counted();
  document.body.classList.toggle("empty", !items.length);
  at("summary").hidden = !items.length;
  if (!items.length) return;
  const sizes = done.length ? ` ${bytes(before)} → ${bytes(after)} ` : "";
  at("total").replaceChildren(t("pictures", { n: items.length }), make("span", { className: "sizes" }, sizes), make("strong", { className: after > before ? "saved more" : "saved" }, done.length ? saved(before, after) : ""));
  // Half of it is what was sent, half what has ended.
  const part = items.reduce((all, item) => all + (item.state === "done" || item.state === "failed" ? 1 : item.part / 2), 0);
  at("progress").value = part / items.length;
  const isOver = ended === items.length;
  at("progress").classList.toggle("over", isOver);
  const told = [t("done", { n: done.length }), failed ? t("failed", { n: failed }) : "", isOver ? "" : t("left", { n: items.length - ended })];
  show(at("counts"), told.filter(Boolean).join(" · "));
  at("all").disabled = at("save").disabled = !done.length;
  at("again").hidden = !batch.outdated.length;
  at("retry").hidden = !items.some(canRetry);
}

// Rows and the sum are drawn once a frame, however often something changes.
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
  if (document.documentElement.dataset.keys && !api.hasKey()) {
    batch.locked = true;
    askKey();
    return;
  }
  try {
    const told = await api.about();
    batch.limit = told.max_upload_size_bytes;
    batch.age = told.max_age;
    at("keys").hidden = true;
    limits();
    if (batch.locked) batch.unlock();
  } catch (error) {
    if (error.status === 401) {
      batch.locked = true;
      askKey();
    } else setTimeout(learn, RETRY);
  }
}

function limits() {
  if (batch.age !== undefined) show(at("limits"), t("limits", { size: bytes(batch.limit), hours: batch.age }));
}

// Run what takes a while, and say in words what comes of it.
async function tried(button, work) {
  if (button) button.disabled = true;
  say(t("preparing"));
  try {
    say(await work());
  } catch (error) {
    if (error.status === 401) askKey();
    say(error.code === "results_missing" || error.status === 404 ? t("error_expired") : t(error.status === 0 ? "error_offline" : "error_download", { message: error.message }));
  } finally {
    if (button) button.disabled = false;
  }
}

const download = (item) => tried(null, async () => save.one(item, batch.settings.name));
const settled = () => counted().done;

const actions = {
  compare: (item) => item.result && compare.open(item),
  download,
  retry: (item) => batch.redo(item),
  remove: (item) => batch.remove(item),
};

function drawSettings() {
  const aside = at("settings");
  const had = aside.contains(document.activeElement) ? [...aside.querySelectorAll("input, button")].indexOf(document.activeElement) : -1;
  const set = (settings, again) => {
    batch.settings = settings;
    remember(settings);
    if (again) drawSettings();
    summary();
  };
  aside.replaceChildren(
    ...panel(batch.settings, {
      changed: (change) => set({ ...batch.settings, ...change }, "format" in change),
      use: (name) => set(preset(name), true),
      presets: Object.keys(PRESETS),
      copy: async () => {
        try {
          await navigator.clipboard.writeText(curl(batch.settings, api.root));
          return true;
        } catch {
          return false;
        }
      },
    }),
    make("button", { type: "button", id: "settings_close", className: "main", onclick: () => sheet(false) }, t("close")),
  );
  if (had >= 0) aside.querySelectorAll("input, button")[had]?.focus();
}

function sheet(isOpen) {
  at("settings").classList.toggle("open", isOpen);
  at("settings_open").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) at("settings").querySelector("input:checked")?.focus();
  else at("settings_open").focus();
}

function speak(language) {
  at("language").value = language;
  at("theme").replaceChildren(icon("theme"));
  limits();
  drawSettings();
  for (const row of rows.values()) row.update();
  summary();
  notice();
}

function theme() {
  const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  } catch {
    // For this visit.
  }
}

function wire() {
  drop.watch({ add: (files) => {
    if (files.length) batch.add(files);
    else say(t("nothing_found"));
  }, files: at("files"), folders: at("folders"), over: at("over") });
  at("choose").onclick = () => at("files").click();
  at("folder").onclick = () => at("folders").click();
  at("all").onclick = () => tried(at("all"), async () => save.all(settled(), batch.settings.name));
  at("save").hidden = !save.canSaveFolder;
  at("save").onclick = () => tried(at("save"), async () => {
    const count = await save.folder(settled(), batch.settings.name, () => {});
    return count === null ? null : t("saved_files", { n: count });
  });
  at("again").onclick = () => batch.outdated.forEach((item) => batch.redo(item));
  at("retry").onclick = () => batch.items.filter(canRetry).forEach((item) => batch.redo(item));
  at("clear").onclick = () => {
    [...batch.items].forEach((item) => batch.remove(item));
    at("choose").focus();
  };
  at("keys").onsubmit = (event) => {
    event.preventDefault();
    api.useKey(at("key").value.trim());
    learn();
  };
  at("settings_open").onclick = () => sheet(true);
  at("settings").addEventListener("keydown", (event) => event.key === "Escape" && sheet(false));
  at("theme").onclick = theme;
  const names = new Intl.DisplayNames(languages, { type: "language" });
  at("language").append(...languages.map((tag) => make("option", { value: tag, lang: tag }, new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? names.of(tag))));
  at("language").onchange = async () => speak(await choose(at("language").value));
  addEventListener("online", () => batch.pause && batch.resume());
  addEventListener("beforeunload", (event) => batch.items.some((item) => item.state === "waiting" || item.state === "sending") && event.preventDefault());
}

async function start() {
  const language = await load();
  const on = {
    added: (items) => {
      // Some in each frame: a thousand at once would hold the page up.
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
  });
  wire();
  speak(language);
  fill(document);
  document.body.hidden = false;
  await learn();
  batch.restore();
}

start();
