// The API of the server whose page this is.

import { tab } from "./store.js";

export const root = new URL("../../", import.meta.url).href;

export class Refusal extends Error {
	constructor(status, body, retryAfter) {
		super(body?.message ?? `HTTP ${status}`);
		this.status = status;
		this.code = body?.error ?? (status ? `http_${status}` : "offline");
		this.retryAfter = Math.min(3600, retryAfter) || null;
	}

	// Whether to try again later makes sense.
	get passes() {
		return [0, 429, 502, 503, 504, 507].includes(this.status);
	}
}

let key = tab.get("key");

export const hasKey = () => key !== null;

export function useKey(value) {
	key = value;
	tab.put("key", value);
}

// Without the first the browser asks for a password.
const headers = () => ({ "X-Requested-With": "XMLHttpRequest", ...(hasKey() && { "X-API-Key": key }) });

// What is read of the answer, by the name of a method, if anything.
async function ask(path, options = {}, read) {
	let response;
	try {
		response = await fetch(new URL(path, root), { ...options, headers: { Accept: "application/json", ...headers(), ...options.headers } });
		if (response.ok) return read && await response[read]();
	} catch {
		throw new Refusal(0);
	}
	throw new Refusal(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
}

const json = (path) => ask(path, {}, "json");

export const about = () => json("");

export const status = (md5, wait) =>
	json(`status/${md5}?details=true&wait=${wait}`).catch((error) => {
		if (error.status === 404) return [];
		throw error;
	});

// Take back a conversion that waits.
export const withdraw = ({ md5, format, quality, options: { formats = format, ...options } }) =>
	ask(`status/${md5}?${new URLSearchParams({ format: formats, lossless: false, [format === "jpg" ? "quality" : "q"]: quality || "", ...options })}`, { method: "DELETE" }).catch(() => {});

// The key is its first message.
export function socket() {
	const url = new URL("ws", root);
	url.protocol = url.protocol.replace("http", "ws");
	const opened = new WebSocket(url);
	if (hasKey()) opened.addEventListener("open", () => opened.send(JSON.stringify({ api_key: key })));
	return opened;
}

// `path` is where the answer came from.
export const absolute = (url, path) => new URL(url, root + path).href;

export const blob = (url) => ask(url, { headers: { Accept: "*/*" } }, "blob");

export const archiveForm = (files) => ({ files: JSON.stringify(files), ...(hasKey() && { api_key: key }) });

export const archive = (form) => ask("archive", { method: "POST", body: new URLSearchParams(form) });

// `sent` hears which part has gone.
export function upload(file, name, fields, sent, signal) {
	return new Promise((resolve, reject) => {
		const form = new FormData();
		// Fields first: the server can refuse them before the picture comes.
		for (const [field, value] of Object.entries(fields)) form.append(field, value);
		form.append("picture", file, name);
		const request = new XMLHttpRequest();
		request.open("POST", `${root}upload`);
		request.responseType = "json";
		for (const [header, value] of Object.entries(headers())) request.setRequestHeader(header, value);
		request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
		request.onload = () => {
			if (request.status < 300) resolve(request.response);
			else reject(new Refusal(request.status, request.response, request.getResponseHeader("Retry-After")));
		};
		request.onerror = () => reject(new Refusal(0));
		request.onabort = reject;
		signal.onabort = () => request.abort();
		request.send(form);
	});
}
