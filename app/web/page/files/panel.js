// The settings as controls.

import { make } from "./dom.js";
import { EFFORTS, FORMATS, KEEPS, MAX_KB, MAX_NAME, MAX_SIDE, takesQ } from "./settings.js";
import { known, t } from "./words.js";

const NAMES = { webp: "WebP", avif: "AVIF", jpg: "JPEG", png: "PNG", gif: "GIF", jxl: "JPEG XL" };

export const formatName = (format) => (format === "same" ? t("same") : NAMES[format] ?? format.toUpperCase());

const word = (prefix, name) => (known(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : name);

let groups = 0;

// A group of which one is chosen.
function choice(legend, values, name, current, chosen) {
  const group = `${name}-${(groups += 1)}`;
  const options = values.map((value) => {
    const input = make("input", { type: "radio", name: group, value, checked: value === current, onchange: () => chosen(value) });
    return make("label", {}, input, make("span", {}, name === "format" ? formatName(value) : word(name, value || "default")));
  });
  return make("fieldset", { className: `choice ${name}` }, make("legend", {}, legend), make("div", {}, ...options));
}

const whole = (input) => (input.value && input.validity.valid ? input.valueAsNumber : null);

// Automatic, or a number.
export function quality(settings, changed) {
  const slider = make("input", { type: "range", min: 1, max: 100, value: settings.q ?? 80, "aria-label": t("quality") });
  const output = make("output", {});
  const auto = make("input", { type: "checkbox", checked: !settings.q });
  const show = () => {
    slider.disabled = auto.checked;
    output.textContent = auto.checked ? "" : slider.value;
  };
  slider.oninput = show;
  const tell = () => {
    show();
    changed({ q: auto.checked ? null : slider.valueAsNumber });
  };
  slider.onchange = tell;
  auto.onchange = tell;
  show();
  const fieldset = make("fieldset", { className: "quality", disabled: !takesQ(settings.format) }, make("legend", {}, t("quality")), make("label", { className: "check" }, auto, make("span", {}, t("auto"))), slider, output);
  return fieldset;
}

export const formats = (settings, changed) => choice(t("format"), ["same", ...FORMATS], "format", settings.format, (format) => changed({ format }));

// All of them; `changed` hears which are other, `use` of a whole set by its name.
export function panel(settings, { changed, use, presets, copy }) {
  const side = (name, max = MAX_SIDE) => make("input", { type: "number", min: 1, max, value: settings[name] ?? "", inputMode: "numeric", "aria-label": t(name), placeholder: t("any"), onchange: (event) => changed({ [name]: whole(event.target) }) });
  const keep = KEEPS.map((name) => {
    const input = make("input", { type: "checkbox", checked: settings.keep.includes(name), onchange: () => changed({ keep: KEEPS.filter((_, n) => keep[n].firstChild.checked) }) });
    return make("label", { className: "check" }, input, make("span", {}, word("keep", name)));
  });
  const pattern = make("input", { type: "text", value: settings.name, maxLength: MAX_NAME, spellcheck: false, onchange: (event) => changed({ name: event.target.value.trim() || "{name}.{ext}" }) });
  const copied = make("button", { type: "button", onclick: async () => {
    copied.textContent = (await copy()) ? t("copied") : t("not_copied");
    setTimeout(() => (copied.textContent = t("copy_curl")), 2000);
  } }, t("copy_curl"));
  return [
    make("h2", {}, t("settings")),
    formats(settings, changed),
    quality(settings, changed),
    choice(t("effort"), ["", ...EFFORTS], "effort", settings.effort, (effort) => changed({ effort })),
    make("fieldset", { className: "size" }, make("legend", {}, t("size")), side("width"), make("span", { "aria-hidden": true }, "×"), side("height")),
    make("fieldset", { className: "size" }, make("legend", {}, t("at_most")), side("kb", MAX_KB), make("span", { "aria-hidden": true }, "kB")),
    make("fieldset", { className: "keep" }, make("legend", {}, t("keep")), ...keep),
    make("label", { className: "pattern" }, make("span", {}, t("pattern")), pattern),
    make("div", { className: "presets", role: "group", "aria-label": t("presets") }, make("span", { "aria-hidden": true }, t("presets")), ...presets.map((name) => make("button", { type: "button", onclick: () => use(name) }, t(`preset_${name}`)))),
    copied,
  ];
}
