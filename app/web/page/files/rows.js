// One picture of the list.

import { icon, iconButton, make, show } from "./dom.js";
import { canRetry, sentence } from "./errors.js";
import { formatName } from "./panel.js";
import * as thumbs from "./thumbs.js";
import { bytes, label, number, saved, t } from "./words.js";

// How far it is, as a sentence.
function progress(item, batch) {
  switch (item.state) {
    case "waiting":
      return t("waiting");
    case "sending":
      return item.part < 1 ? t("sending", { part: number(item.part, { style: "percent", maximumFractionDigits: 0 }) }) : t("sent");
    case "queued":
      return item.place > 1 ? t("place", { n: item.place - 1 }) : t("queued");
    case "converting":
      return t("converting");
    case "failed":
      return sentence(item, batch.limit);
    default:
      return "";
  }
}

// Whether the result is the original, as none was smaller.
export const isKept = (item) => item.result.bytes === item.size;

export class Row {
  // actions: compare, download, retry, remove; each is told the item.
  constructor(item, batch, actions) {
    this.item = item;
    this.batch = batch;
    this.actions = actions;
    this.canvas = make("canvas", { width: 96, height: 96, "aria-hidden": true });
    this.thumb = make("button", { type: "button", className: "thumb", onclick: () => actions.compare(item) }, this.canvas, icon("picture"));
    this.name = make("span", { className: "name", dir: "auto" });
    this.detail = make("span", { className: "detail" });
    this.bar = make("progress", { max: 1 });
    this.sizes = make("span", { className: "sizes" });
    this.saved = make("strong", { className: "saved" });
    this.buttons = make("span", { className: "actions" });
    this.element = make("li", { className: "row" }, this.thumb, make("span", { className: "what" }, this.name, this.detail), make("span", { className: "figures" }, this.sizes, this.saved), this.buttons, this.bar);
    const cut = item.path.lastIndexOf("/") + 1;
    this.name.append(make("span", { className: "path" }, item.path.slice(0, cut)), item.path.slice(cut));
    this.name.title = item.path;
    this.#draw();
    this.update();
  }

  update() {
    const { item } = this;
    const { state } = item;
    const isDone = state === "done";
    const { classList } = this.element;
    this.element.dataset.state = state;
    classList.toggle("kept", isDone && isKept(item));
    const { result } = item;
    if (isDone) {
      const format = formatName(item.job.format);
      const size = result.width ? `${format} · ${number(result.width, { useGrouping: false })} × ${number(result.height, { useGrouping: false })}` : format;
      show(this.detail, item.instead ? `${size} · ${t("instead", { format })}` : size);
      show(this.sizes, isKept(item) ? bytes(item.size) : `${bytes(item.size)} → ${bytes(result.bytes)}`);
      show(this.saved, isKept(item) ? t("kept") : saved(item.size, result.bytes));
      this.saved.classList.toggle("more", result.bytes > item.size);
      if (!this.drawn) this.#draw();
    } else {
      show(this.detail, progress(item, this.batch));
      show(this.sizes, bytes(item.size));
      show(this.saved, "");
    }
    this.bar.hidden = state !== "sending" && state !== "converting";
    if (state === "sending") this.bar.value = item.part;
    else this.bar.removeAttribute("value");
    label(this.bar, t("progress"));
    this.thumb.disabled = !isDone;
    label(this.thumb, t("compare_of", { name: item.path }));
    this.#buttons(state);
  }

  // Of what cannot be shown as it was sent, the result can.
  #draw() {
    thumbs.watch(this.canvas, this.item, (drawn) => {
      this.drawn = drawn || this.item.state === "done";
      this.element.classList.toggle("drawn", drawn);
      if (!this.drawn && this.item.state === "done") this.#draw();
    });
  }

  #buttons(state) {
    if (this.shown === state && this.language === document.documentElement.lang) return;
    this.shown = state;
    this.language = document.documentElement.lang;
    const { item, actions } = this;
    const button = (name, key) => iconButton(name, t(key, { name: item.path }), () => actions[name](item));
    const focused = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(
      ...(state === "done" ? [button("compare", "compare_of"), button("download", "download_of")] : []),
      ...(canRetry(item) ? [button("retry", "retry_of")] : []),
      button("remove", state === "done" || state === "failed" ? "remove_of" : "cancel_of"),
    );
    if (focused) this.buttons.lastChild.focus();
  }

  remove() {
    thumbs.forget(this.canvas);
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const focused = this.element.contains(document.activeElement);
    this.element.remove();
    if (focused) (next?.querySelector(".actions button:last-child") ?? document.getElementById("choose")).focus();
  }
}
