/**
 * The requests of tus 1.0 as our server speaks it (PROTOCOL.md section 5), one function each.
 * Knows no retries: `Upload` decides what a failure means.
 */
import { errorOf, reach } from "./api.js";
import { ServerError } from "./errors.js";

const VERSION = { "Tus-Resumable": "1.0.0" };

/**
 * @typedef {object} Wire
 * @property {typeof fetch} fetch
 * @property {string} csrf
 * @property {AbortSignal} signal
 */

/**
 * Announce a file; gives its address.
 * @param {Wire} wire
 * @param {string} url of the call's files
 * @param {{name: string, size: number, sha256: string}} file
 * @returns {Promise<string>}
 */
export async function create(wire, url, { name, size, sha256 }) {
  const metadata = `filename ${base64(utf8(name))},sha256 ${base64(utf8(sha256))}`;
  const response = await request(wire, "POST", url, {
    "Upload-Length": String(size),
    "Upload-Metadata": metadata,
  });
  const location = response.headers.get("Location");
  if (!location) throw new ServerError("internal", "a creation without Location");
  const address = new URL(location, url);
  // The page is named in every request, whether the server repeats it or not.
  if (!address.search) address.search = new URL(url).search;
  return address.href;
}

/** From which byte on the server wants the file. @param {Wire} wire @param {string} location */
export async function offset(wire, location) {
  return offsetOf(await request(wire, "HEAD", location));
}

/**
 * Send bytes from `at` on; gives the new offset.
 * @param {Wire} wire
 * @param {string} location
 * @param {number} at
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {ArrayBuffer} digest SHA-256 of `bytes`
 */
export async function append(wire, location, at, bytes, digest) {
  const headers = {
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(at),
    "Upload-Checksum": `sha256 ${base64(new Uint8Array(digest))}`,
  };
  return offsetOf(await request(wire, "PATCH", location, headers, bytes));
}

/** Take the file back. @param {Wire} wire @param {string} location */
export async function remove(wire, location) {
  await request(wire, "DELETE", location);
}

/**
 * @param {Wire} wire
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} [headers]
 * @param {Uint8Array<ArrayBuffer>} [body]
 */
async function request({ fetch, csrf, signal }, method, url, headers = {}, body) {
  const response = await reach(fetch, url, {
    method,
    headers: { ...VERSION, "X-CSRF-Token": csrf, ...headers },
    body,
    signal,
    credentials: "same-origin",
    cache: "no-store",
  });
  if (response.ok) return response;
  const error = await errorOf(response);
  // HEAD has no body, and a proxy's answer no code of ours.
  if (response.status === 460) error.code = "checksum_mismatch";
  if (response.status === 423) error.code = "conflict";
  throw error;
}

/** @param {Response} response */
function offsetOf(response) {
  const text = response.headers.get("Upload-Offset") ?? "";
  if (!/^\d{1,15}$/.test(text)) throw new ServerError("internal", "an answer without Upload-Offset");
  return Number(text);
}

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

/** @param {ArrayBuffer} digest */
export function hex(digest) {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
