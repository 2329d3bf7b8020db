// What the pictures are to become.

import { visits } from "./store.js";

const told = document.documentElement.dataset;

export const FORMATS = told.formats.split(" ");
export const EFFORTS = told.efforts.split(" ");
export const KEEPS = told.keeps.split(" ");
const PLAIN = new Set(told.plain.split(" "));
const OPAQUE = new Set(told.opaque.split(" "));

export const MAX_SIDE = 16383;
export const MAX_KB = 999999;
export const MAX_NAME = 80;

const DEFAULTS = { format: "webp", q: null, effort: "", width: null, height: null, kb: null, keep: [], name: "{name}.{ext}" };

const whole = (most) => (text) => {
	const value = Number(text);
	return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined;
};

// Of a value from outside; undefined if it is none.
const READ = {
	format: (text) => FORMATS.find((one) => one === text),
	q: whole(100),
	effort: (text) => EFFORTS.find((one) => one === text),
	width: whole(MAX_SIDE),
	height: whole(MAX_SIDE),
	kb: whole(MAX_KB),
	keep: (text) => String(text).split(",").filter((part) => KEEPS.includes(part)),
	name: (text) => (text && text.length <= MAX_NAME ? text : undefined),
};

export const PRESETS = {
	web: { format: "webp", width: 2560, height: 2560 },
	mail: { format: "jpg", q: 75, width: 1600, height: 1600 },
	archive: { format: "same", effort: "small", keep: KEEPS },
};

export function read(values) {
	const settings = { ...DEFAULTS };
	for (const [name, parse] of Object.entries(READ)) {
		settings[name] = parse(values[name] ?? NaN) ?? settings[name];
	}
	return settings;
}

export const preset = (name) => ({ ...DEFAULTS, ...PRESETS[name] });

const chosen = (settings) =>
	Object.entries(settings).filter(([name, value]) => value !== null && String(value) !== String(DEFAULTS[name]));

// Those of the address, or else the last ones.
export function first() {
	const query = Object.fromEntries(new URLSearchParams(location.search));
	const named = Object.keys(query).some((name) => name in READ);
	return read(named ? query : visits.get("settings", {}));
}

export function remember(settings) {
	visits.put("settings", settings);
	const query = new URLSearchParams(chosen(settings).map(([name, value]) => [name, String(value)]));
	history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

export const takesQ = (format) => !PLAIN.has(format);

// `same` of what can be read and not written.
const UNWRITTEN = { jpg: /\.(hei[cf]|hif|tiff?|jp2|j2k|jpx)$/i, png: /\.(bmp|ico|cur)$/i };

export const instead = ({ format }, name) =>
	format === "same" ? Object.keys(UNWRITTEN).find((other) => UNWRITTEN[other].test(name)) : undefined;

// The fields of an upload.
export function fields(settings, name = "") {
	const other = instead(settings, name);
	const fields = { format: other ?? settings.format };
	// Where it is transparent it is sent again as PNG.
	if (other && OPAQUE.has(other)) fields.alpha = "refuse";
	// A limit of bytes finds the quality by itself.
	const q = settings.q ?? (settings.kb ? null : "auto");
	if (q && takesQ(fields.format)) fields.q = q;
	for (const name of ["effort", "width", "height"]) if (settings[name]) fields[name] = settings[name];
	if (settings.kb) fields.max_bytes = `${settings.kb}K`;
	if (settings.keep.length) fields.keep = settings.keep.join(",");
	return fields;
}

export function curl(settings, root, withKey) {
	const given = Object.entries(fields(settings)).map(([name, value]) => `-F ${name}=${value}`);
	return ["curl", ...(withKey ? ['-H "X-API-Key: $API_KEY"'] : []), "-F picture=@picture.jpg", ...given, `'${root}upload'`].join(" ");
}

export function pathOf(item, pattern) {
	const cut = item.path.lastIndexOf("/") + 1;
	const name = item.path.slice(cut).replace(/\.[^.]*$/, "");
	const values = { name, ext: item.job.format, width: item.result.width ?? "", height: item.result.height ?? "", quality: item.job.quality };
	return item.path.slice(0, cut) + pattern.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}
