// The settings as controls.

import { button, make } from "./dom.js";
import { EFFORTS, FORMATS, KEEPS, MAX_KB, MAX_NAME, MAX_SIDE, takesQ } from "./settings.js";
import { known, t } from "./words.js";

const NAMES = { webp: "WebP", jpg: "JPEG", jxl: "JPEG XL" };

export const formatName = (format) => NAMES[format] ?? (known(`format_${format}`) ? t(`format_${format}`) : format.toUpperCase());

const word = (prefix, name) => (known(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : name);

const fieldset = (className, legend, ...children) => make("fieldset", { className }, make("legend", {}, legend), ...children);

const check = (input, text) => make("label.check", {}, input, make("span", {}, text));

let groups = 0;

function choice(legend, values, name, current, chosen) {
	const group = `${name}-${(groups += 1)}`;
	const options = values.map((value) => {
		const input = make("input", { type: "radio", name: group, value, checked: value === current, onchange: () => chosen(value) });
		return make("label", {}, input, make("span", {}, name === "format" ? formatName(value) : word(name, value || "default")));
	});
	return fieldset(`choice ${name}`, legend, make("div", {}, ...options));
}

const whole = (input) => (input.value && input.validity.valid ? input.valueAsNumber : null);

function quality(settings, changed) {
	const slider = make("input", { type: "range", min: 1, max: 100, value: settings.q ?? 80, ariaLabel: t("quality") });
	const output = make("output");
	const auto = make("input", { type: "checkbox", checked: !settings.q });
	const show = () => {
		slider.disabled = auto.checked;
		output.textContent = auto.checked ? "" : slider.value;
	};
	slider.oninput = auto.oninput = show;
	slider.onchange = auto.onchange = () => changed({ q: auto.checked ? null : slider.valueAsNumber });
	show();
	const made = fieldset("quality", t("quality"), check(auto, t("auto")), slider, output);
	made.disabled = !takesQ(settings.format);
	return made;
}

const formats = (settings, changed) => choice(t("format"), FORMATS, "format", settings.format, (format) => changed({ format }));

// Those of one picture; `changed` hears which are other.
export function controls(settings, changed) {
	const side = (name, max = MAX_SIDE) => make("input", { type: "number", min: 1, max, value: settings[name] ?? "", inputMode: "numeric", ariaLabel: t(name), placeholder: t("any"), onchange: (event) => changed({ [name]: whole(event.target) }) });
	const onchange = () => changed({ keep: KEEPS.filter((_, n) => keep[n].firstChild.checked) });
	const keep = KEEPS.map((name) => check(make("input", { type: "checkbox", checked: settings.keep.includes(name), onchange }), word("keep", name)));
	return [
		formats(settings, changed),
		quality(settings, changed),
		choice(t("effort"), ["", ...EFFORTS], "effort", settings.effort, (effort) => changed({ effort })),
		fieldset("size", t("size"), side("width"), make("span", { ariaHidden: true }, "×"), side("height")),
		fieldset("size", t("at_most"), side("kb", MAX_KB), make("span", { ariaHidden: true }, "kB")),
		fieldset("keep", t("keep"), ...keep),
	];
}

// All of them; `use` hears of a whole set by its name.
export function panel(settings, { changed, use, presets, command }) {
	const pattern = make("input", { type: "text", dir: "ltr", value: settings.name, maxLength: MAX_NAME, spellcheck: false, onchange: (event) => changed({ name: event.target.value.trim() || "{name}.{ext}" }) });
	const say = (key) => (copied.textContent = t(key));
	const copied = button(t("copy_curl"), async () => {
		try {
			await navigator.clipboard.writeText(command());
			say("copied");
		} catch {
			say("not_copied");
		}
		setTimeout(say, 2000, "copy_curl");
	});
	return [
		make("h2", {}, t("settings")),
		...controls(settings, changed),
		make("label.pattern", {}, make("span.small", {}, t("pattern")), pattern),
		fieldset("presets", t("presets"), ...presets.map((name) => button(t(`preset_${name}`), () => use(name)))),
		copied,
	];
}
