/**
 * Passkeys: between the JSON of PROTOCOL.md section 5.1 and the browser's WebAuthn.
 *
 *     const credential = await makePasskey(options);   // navigator.credentials.create
 *     const credential = await usePasskey(options);    // navigator.credentials.get
 *
 * Both reject with a `ServerError`: `aborted`, `passkey_known`, `no_passkeys_here`.
 */
import { ServerError } from "./errors.js";

/** @param {ArrayBuffer} buffer */
export function toText(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text base64url */
export function toBytes(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

/** Tell whether this browser has passkeys at all. */
export const hasPasskeys = () => typeof globalThis.PublicKeyCredential === "function";

/** @type {Record<string, string>} */
const CODES = {
  NotAllowedError: "aborted",
  AbortError: "aborted",
  InvalidStateError: "passkey_known",
  SecurityError: "no_passkeys_here",
};

/** @template T @param {() => Promise<T>} ask @returns {Promise<T>} */
async function asking(ask) {
  try {
    return await ask();
  } catch (cause) {
    const name = /** @type {{name?: string}} */ (cause).name ?? "";
    throw new ServerError(CODES[name] ?? "internal", name, { cause });
  }
}

/**
 * Make a passkey; resolves to its JSON.
 * @param {any} options of the server
 * @param {CredentialsContainer} [credentials]
 */
export async function makePasskey(options, credentials = navigator.credentials) {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const made = /** @type {any} */ (await asking(() => credentials.create({ publicKey })));
  const { clientDataJSON, attestationObject } = made.response;
  return json(made, {
    clientDataJSON: toText(clientDataJSON),
    attestationObject: toText(attestationObject),
  });
}

/**
 * Show a passkey; resolves to the assertion's JSON.
 * @param {any} options of the server
 * @param {CredentialsContainer} [credentials]
 */
export async function usePasskey(options, credentials = navigator.credentials) {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: known(options.allowCredentials),
  };
  const shown = /** @type {any} */ (await asking(() => credentials.get({ publicKey })));
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return json(shown, {
    clientDataJSON: toText(clientDataJSON),
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    userHandle: userHandle ? toText(userHandle) : null,
  });
}

/** @param {{id: string}[] | undefined} list */
const known = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

/** @param {any} credential @param {Record<string, string | null>} response */
const json = (credential, response) => ({
  id: credential.id,
  rawId: toText(credential.rawId),
  type: credential.type,
  response,
});
