/** What a page asks of its browser: an id of its own, leave for the devices, files that do not carry it away. */
import assert from "node:assert/strict";
import test from "node:test";
import { holdDrops } from "../../static/app/lib/drops.js";
import { claimPageId, loadPageId } from "../../static/app/lib/ids.js";
import { followPermissions } from "../../static/app/lib/permissions.js";
import { settle } from "./support/clock.js";

/** @param {Map<string, string>} kept */
const storage = (kept) => ({
  getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
});

/** Locks that are held for ever, as by pages that live. */
class Locks {
  held = new Set();

  /** @param {string} name @param {{signal: AbortSignal}} options @param {() => Promise<unknown>} run @returns {Promise<any>} */
  request(name, { signal }, run) {
    if (!this.held.has(name)) {
      this.held.add(name);
      return run();
    }
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
}

test("a duplicated tab gets an id of its own and leaves the first its seat", async () => {
  const locks = /** @type {any} */ (new Locks());
  const first = new Map();
  const id = await claimPageId(storage(first), locks, 1);
  const copy = new Map(first);
  // Keeps the process alive: a timeout signal alone does not.
  const awake = setInterval(() => {}, 50);
  const other = await claimPageId(storage(copy), locks, 1);
  clearInterval(awake);
  assert.notEqual(other, id);
  assert.equal(loadPageId(storage(copy)), other);
  assert.equal(loadPageId(storage(first)), id);
});

test("a reloaded page keeps its id, and so does one whose browser has or gives no locks", async () => {
  const kept = new Map();
  const id = await claimPageId(storage(kept), /** @type {any} */ (new Locks()), 1);
  assert.equal(await claimPageId(storage(kept), /** @type {any} */ (new Locks()), 1), id);
  const refusing = /** @type {any} */ ({ request: () => Promise.reject(new Error("denied")) });
  assert.equal(await claimPageId(storage(kept), refusing, 1000), id);
  assert.equal(await claimPageId(storage(kept), /** @type {any} */ (null), 1), id);
});

test("leave for camera and microphone is followed, and a browser that does not say is no error", async () => {
  const camera = { state: "denied", onchange: () => {} };
  const permissions = /** @type {any} */ ({
    query: async (/** @type {{name: string}} */ { name }) => {
      if (name === "camera") return camera;
      throw new TypeError("not a name");
    },
  });
  const allowed = followPermissions(permissions);
  await settle();
  assert.deepEqual([allowed.camera.value, allowed.microphone.value], ["denied", "unknown"]);
  camera.state = "granted";
  camera.onchange();
  assert.equal(allowed.camera.value, "granted");
  assert.equal(followPermissions(/** @type {any} */ ({ query: undefined })).camera.value, "unknown");
});

test("a dropped file does not carry the page away, and text may be dragged", () => {
  const scope = new EventTarget();
  holdDrops(scope);
  const drag = (/** @type {string} */ name, /** @type {string} */ type) => {
    const dataTransfer = { types: [type], dropEffect: "copy" };
    const event = Object.assign(new Event(name, { cancelable: true }), { dataTransfer });
    scope.dispatchEvent(event);
    return [event.defaultPrevented, dataTransfer.dropEffect];
  };
  for (const name of ["dragover", "drop"]) {
    assert.deepEqual(drag(name, "Files"), [true, "none"]);
    assert.deepEqual(drag(name, "text/plain"), [false, "copy"]);
  }
});
