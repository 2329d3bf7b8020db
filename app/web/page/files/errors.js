// What went wrong, in plain words.

import { bytes, known, number, t } from "./words.js";

const PIXELS = /(\d{7,}) pixels\D+(\d{7,})/;

// What comes out the same each time it is tried.
const LASTING = new Set(["size_exceeded", "not_an_image", "too_many_pixels", "too_many_bytes"]);

export const canRetry = (item) => item.state === "failed" && item.file && !LASTING.has(item.error.code);
const mega = (text) => number(Number(text) / 1e6, { maximumFractionDigits: 0 });

export function sentence(item, limit) {
  const { code, message } = item.error;
  if (code === "size_exceeded") return t("error_size_exceeded", { size: bytes(item.size), limit: bytes(limit) });
  const pixels = PIXELS.exec(message ?? "");
  if (pixels) return t("error_pixels", { size: mega(pixels[1]), limit: mega(pixels[2]) });
  const key = `error_${code === "interrupted" ? "internal_error" : code}`;
  return known(key) ? t(key) : message ?? t("error_internal_error");
}
