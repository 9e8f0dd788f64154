/** Verifies one message with the public library, and its v1a signatures with the runtime's own Ed25519. */
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { Webhook } from "standardwebhooks";

const { secrets, wrong, publicKeys, body, headers } = JSON.parse(readFileSync(0, "utf8"));
let verified = 0;
let refused = 0;
for (const secret of secrets) {
  const said = /** @type {any} */ (new Webhook(secret).verify(body, headers));
  if (said.type === "call.closed") verified += 1;
}
for (const [secret, text] of [
  [wrong, body],
  [secrets[0], `${body} `],
]) {
  try {
    new Webhook(secret).verify(text, headers);
  } catch {
    refused += 1;
  }
}
const content = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
const signatures = headers["webhook-signature"]
  .split(" ")
  .filter((/** @type {string} */ one) => one.startsWith("v1a,"))
  .map((/** @type {string} */ one) => Buffer.from(one.slice(4), "base64"));
// The 12 bytes say "Ed25519" before a raw key.
const head = Buffer.from("302a300506032b6570032100", "hex");
const asymmetric = publicKeys.filter((/** @type {string} */ text, /** @type {number} */ index) => {
  const raw = Buffer.from(text.replace("whpk_", ""), "base64");
  const key = createPublicKey({ key: Buffer.concat([head, raw]), format: "der", type: "spki" });
  return verify(null, content, key, signatures[index]);
}).length;
process.stdout.write(JSON.stringify({ verified, refused, asymmetric }));
