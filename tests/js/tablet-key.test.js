import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../static/app/lib/api.js";
import { createTabletKey, fingerprintsOf } from "../../static/app/lib/tablet-key.js";
import { settle } from "./support/clock.js";
import { json, serve } from "./support/http.js";
import { line } from "./support/line.js";

const ASKED = { challenge: "c".repeat(43), issued_at: "2026-11-23T00:00:00.000Z", municipality: "m", tablet: "t" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };

function world() {
  /** @type {Map<string, CryptoKeyPair>} */
  const kept = new Map();
  const keys = {
    get: async (/** @type {string} */ name) => kept.get(name),
    put: async (/** @type {string} */ name, /** @type {CryptoKeyPair} */ pair) => void kept.set(name, pair),
    remove: async (/** @type {string} */ name) => void kept.delete(name),
  };
  return { kept, tablet: createTabletKey({ open: async () => keys }) };
}

/** @param {CryptoKeyPair | undefined} pair @param {string} signature @param {string[]} lines */
async function holds(pair, signature, lines) {
  const bytes = new TextEncoder().encode(["madoguchi tablet-key v1", ...lines].join("\n"));
  assert.match(signature, /^[A-Za-z0-9_-]{86}$/);
  return crypto.subtle.verify(SIGNING, /** @type {CryptoKeyPair} */ (pair).publicKey, Buffer.from(signature, "base64url"), bytes);
}

test("a key cannot be taken out, and the one in use stays until the server has taken the next", async () => {
  const { kept, tablet } = world();
  const claim = await tablet.claim("ABCD-EFGH");
  await assert.rejects(tablet.page(ASKED), { code: "key_missing" });
  await tablet.keep();
  const first = kept.get("now");
  assert.equal(first?.privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", /** @type {CryptoKeyPair} */ (first).privateKey));
  assert.ok(await holds(first, claim.signature, ["enrol", "ABCD-EFGH", claim.key]));
  await tablet.claim("WRONG");
  assert.equal(kept.get("now"), first);
});

test("each purpose signs its own fields, an offer the fingerprints and the whole SDP", async () => {
  const { kept, tablet } = world();
  await tablet.claim("x");
  await tablet.keep();
  const pair = kept.get("now");
  const who = ["m", "t", ASKED.challenge, ASKED.issued_at];
  assert.ok(await holds(pair, await tablet.page(ASKED), ["page", ...who]));
  assert.ok(await holds(pair, await tablet.socket(ASKED, "p"), ["socket", ...who, "p"]));
  const sdp = "v=0\r\na=fingerprint:SHA-256 ab:cd\r\n";
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(sdp))).toString("hex");
  const signature = await tablet.offer(ASKED, "call", 3, sdp);
  assert.ok(await holds(pair, signature, ["offer", ...who, "call", "3", "sha-256 AB:CD", digest]));
  assert.ok(!(await holds(pair, signature, ["offer", ...who, "other", "3", "sha-256 AB:CD", digest])));
});

test("fingerprints are named each once and in order, as the server does", () => {
  const sdp = "a=fingerprint:SHA-256 bb:cc\r\nm=audio\r\na=fingerprint:sha-256 BB:CC\r\na=fingerprint:sha-1 01:02\nm=video\r\na=fingerprint: none\r\n";
  assert.equal(fingerprintsOf(sdp), "sha-1 01:02,sha-256 BB:CC");
});

test("a browser that keeps nothing says so before a code is used up", async () => {
  const tablet = createTabletKey({ open: () => Promise.reject(new Error("private window")) });
  await assert.rejects(tablet.claim("x"), { code: "key_missing" });
});

test("a counter says hello only after it was asked, with its signature", async () => {
  const { server, connection } = line({
    page: "counter",
    prove: async (/** @type {any} */ asked, /** @type {string} */ pageId) => `${asked.challenge} ${pageId}`,
  });
  connection.start();
  await settle();
  assert.equal(server.socket.sent.length, 0);
  server.socket.say({ type: "challenge", ...ASKED });
  await settle();
  assert.equal(server.socket.sent[0].proof, `${ASKED.challenge} ${connection.pageId}`);
  assert.equal(connection.asked?.challenge, ASKED.challenge);
  assert.equal(connection.status.state, "open");
  connection.stop();
  assert.equal(connection.asked, null);
});

test("a counter whose key is gone stops and says why", async () => {
  const { tablet } = world();
  const { server, connection } = line({ page: "counter", prove: tablet.socket });
  connection.start();
  await settle();
  server.socket.say({ type: "challenge", ...ASKED });
  await settle();
  assert.deepEqual([connection.status.state, connection.status.code], ["stopped", "key_missing"]);
});

test("a counter shows its key first, then carries its token on reading too, and a ticket in addresses", async (context) => {
  /** @type {(string | undefined)[]} */
  const tokens = [];
  let proofs = 0;
  const origin = await serve(context, (request, response, body) => {
    const path = (request.url ?? "").split("?")[0].replace("/api/v1/", "");
    if (path === "tablet/challenge") return json(response, 200, ASKED);
    if (path === "tablet/proof") {
      proofs += 1;
      assert.deepEqual(JSON.parse(body.toString()), { challenge: ASKED.challenge, signature: "signed" });
      return json(response, 200, { csrf: `token${proofs}`, ticket: "ticket", you: { page: "counter" } });
    }
    tokens.push(String(request.headers["x-csrf-token"]));
    const good = request.headers["x-csrf-token"] === "token2";
    return good ? json(response, 200, {}) : json(response, 403, { error: { code: "csrf", message: "", reasons: [] } });
  });
  const api = createApi({ page: "counter", origin, tablet: { page: async () => "signed" } });
  assert.equal((await api.me()).you.page, "counter");
  await api.get("procedures");
  assert.deepEqual(tokens, ["token1", "token2"]);
  assert.ok(api.urls.content("c", "f").endsWith("?page=counter&ticket=ticket"));
});
