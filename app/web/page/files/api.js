// The HTTP API of the server whose page this is.

export const root = new URL("../../", import.meta.url).href;

export class Refusal extends Error {
  constructor(status, body, retryAfter) {
    super(body?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.error ?? (status ? "internal_error" : "offline");
    this.retryAfter = retryAfter;
    this.missing = body?.missing;
  }

  // Whether to try again later makes sense.
  get passes() {
    return this.status === 0 || this.status === 429 || this.status === 503 || this.status === 507;
  }
}

let key = null;
try {
  key = sessionStorage.getItem("key");
} catch {
  // Storage is off: the key is good for this visit.
}

export const hasKey = () => key !== null;

export function useKey(value) {
  key = value;
  try {
    sessionStorage.setItem("key", value);
  } catch {
    // For this visit.
  }
}

// As a script the page is told of a wrong key; else the browser would ask for a password itself.
const SCRIPT = { "X-Requested-With": "XMLHttpRequest" };

const headers = () => (key === null ? SCRIPT : { ...SCRIPT, "X-API-Key": key });

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, root), { ...options, headers: { Accept: "application/json", ...headers(), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0);
  }
  if (response.ok) return response;
  throw new Refusal(response.status, await response.json().catch(() => null), Number(response.headers.get("Retry-After")) || null);
}

const json = async (path, options) => (await ask(path, options)).json();

export const about = () => json("");

export const status = (md5, wait) => json(`status/${md5}?details=true${wait ? `&wait=${wait}` : ""}`);

// Take back a conversion that waits; another client's, or one that has begun, stays.
export const withdraw = ({ md5, format, quality, options }) =>
  ask(`status/${md5}?${new URLSearchParams({ format, lossless: false, [format === "jpg" ? "quality" : "q"]: quality || "", ...options })}`, { method: "DELETE" }).catch(() => {});

// A result as a file; `url` is relative to the answer that told it.
export const absolute = (url) => new URL(url, `${root}status/x`).href;

export const blob = async (url, signal) => (await ask(url, { signal, headers: { Accept: "*/*" } })).blob();

export const archive = (files) =>
  ask("archive", { method: "POST", body: JSON.stringify({ files }), headers: { "Content-Type": "application/json" } });

// Send a picture; `sent` hears how many of how many bytes have gone.
export function upload(file, name, fields, sent, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    // The fields first: the server can refuse them before the picture comes.
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append("picture", file, name);
    const request = new XMLHttpRequest();
    request.open("POST", `${root}upload`);
    request.responseType = "json";
    for (const [header, value] of Object.entries(headers())) request.setRequestHeader(header, value);
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Refusal(request.status, request.response, Number(request.getResponseHeader("Retry-After")) || null));
    };
    request.onerror = () => reject(new Refusal(0));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
