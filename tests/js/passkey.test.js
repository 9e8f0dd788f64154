/** Passkeys between JSON and bytes, and what a person's "no" becomes. */
import assert from "node:assert/strict";
import test from "node:test";
import { makePasskey, toBytes, toText, usePasskey } from "../../static/app/lib/passkey.js";

const bytes = (/** @type {number[]} */ ...list) => Uint8Array.from(list).buffer;

/** @param {(method: string, asked: any) => any} answer */
const browser = (answer) =>
  /** @type {any} */ ({
    create: async (/** @type {any} */ { publicKey }) => answer("create", publicKey),
    get: async (/** @type {any} */ { publicKey }) => answer("get", publicKey),
  });

test("bytes become base64url and come back", () => {
  for (const list of [[], [0], [251, 255], [1, 2, 3], [62, 63, 250, 251, 252]]) {
    const text = toText(bytes(...list));
    assert.match(text, /^[A-Za-z0-9_-]*$/);
    assert.deepEqual([...toBytes(text)], list);
  }
});

test("a new passkey is asked for in bytes and told in JSON", async () => {
  const options = {
    challenge: "AQI",
    user: { id: "Aw", name: "yamada" },
    excludeCredentials: [{ id: "BA", type: "public-key" }],
  };
  const response = { clientDataJSON: bytes(1), attestationObject: bytes(2) };
  const made = await makePasskey(
    options,
    browser((method, asked) => {
      assert.equal(method, "create");
      assert.deepEqual([...asked.challenge], [1, 2]);
      assert.deepEqual([...asked.user.id], [3]);
      assert.deepEqual([...asked.excludeCredentials[0].id], [4]);
      return { id: "BQ", rawId: bytes(5), type: "public-key", response };
    }),
  );
  assert.deepEqual(made, {
    id: "BQ",
    rawId: "BQ",
    type: "public-key",
    response: { clientDataJSON: "AQ", attestationObject: "Ag" },
  });
});

test("a shown passkey says whose it is", async () => {
  const response = {
    clientDataJSON: bytes(1),
    authenticatorData: bytes(2),
    signature: bytes(3),
    userHandle: bytes(4),
  };
  const shown = await usePasskey(
    { challenge: "AQI", allowCredentials: [] },
    browser(() => ({ id: "BQ", rawId: bytes(5), type: "public-key", response })),
  );
  assert.equal(shown.response.userHandle, "BA");
});

test("what the browser refuses has a code for words", async () => {
  const codes = {
    NotAllowedError: "aborted",
    InvalidStateError: "passkey_known",
    SecurityError: "no_passkeys_here",
    DataError: "internal",
  };
  for (const [name, code] of Object.entries(codes)) {
    const refuse = browser(() => {
      throw new DOMException("no", name);
    });
    await assert.rejects(usePasskey({ challenge: "AQI" }, refuse), { code });
  }
});
