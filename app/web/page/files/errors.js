// What went wrong, in plain words, and what can be done.

import { bytes, known, limit, number, t } from "./words.js";

const PIXELS = /(\d{7,}) pixels\D+(\d{7,})/;
const SIDE = /holds (\d+) pixels a side/;
const SPARE = 0.99; // of the side: both are rounded up

const SMALLER = new Set(["size_exceeded", "too_many_pixels", "too_many_bytes"]);

// The same each time.
const LASTING = new Set([...SMALLER, "not_an_image", "invalid_option", "unreadable"]);

export const canRetry = (item) => item.state === "failed" && item.file && !LASTING.has(item.error.code);

// Pixels a side that the format holds.
export const sideOf = (error) => Number(SIDE.exec(error.message)?.[1]) || 0;

export const canShrink = (item) => item.state === "failed" && item.file && (SMALLER.has(item.error.code) || sideOf(item.error) > 0);

// Of a side, so that the picture is taken.
export function share(item, limit) {
	const [, size, most] = PIXELS.exec(item.error.message) ?? [0, item.size, limit];
	return Math.min(1, Math.sqrt(most / size)) * SPARE;
}

const mega = (text) => number(text / 1e6, { maximumFractionDigits: 0 });

export function sentence(item, most) {
	const { code, message } = item.error;
	if (code === "size_exceeded") return t("error_size_exceeded", { size: bytes(item.size), limit: limit(most) });
	const pixels = PIXELS.exec(message);
	if (pixels) return t("error_pixels", { size: mega(pixels[1]), limit: mega(pixels[2]) });
	const side = sideOf(item.error);
	if (side) return t("error_side", { limit: side });
	const key = `error_${code}`;
	return known(key) ? t(key) : message ?? t("error_internal_error");
}
