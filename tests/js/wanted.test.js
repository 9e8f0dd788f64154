/** What a page may hold and sound, as tables: camera, connection, screen lock, ring, what is left of a call. */
import assert from "node:assert/strict";
import test from "node:test";
import { troubleIn } from "../../static/app/parts/trouble.js";
import { callChange, chosenOf, healthOf, mayRun, mediaWanted, placeLock, ringWanted } from "../../static/app/parts/wanted.js";

/** @typedef {import("../../static/app/lib/connection.js").Status} Status */

/** @param {Partial<Status>} [change] @returns {Status} */
const line = (change = {}) => ({ state: "open", closeCode: null, code: null, since: 0, attempt: 0, ...change });
/** @param {string | null} state @param {string} [id] @returns {any} */
const call = (state, id = "one") => (state ? { id, state } : null);
/** @param {object} [change] @returns {any} */
const known = (change = {}) => ({ you: {}, line: line(), ended: null, call: null, page: "counter", agreed: false, open: true, ...change });
/** @param {object} change */
const on = (change) => Object.entries(mediaWanted(known(change))).flatMap(([name, is]) => (is === true ? [name] : []));

const CALL = ["devices", "flowing", "awake"];
const SENT_AWAY = [
  { line: line({ state: "stopped", closeCode: 4001 }) },
  { line: line({ state: "stopped", closeCode: 4002 }) },
  { line: line({ state: "stopped", closeCode: 4003 }) },
  { line: line({ state: "stopped", closeCode: 4004 }) },
  { line: line({ state: "stopped", closeCode: 1002 }) },
  { ended: "tablet_revoked" },
  { ended: "signed_out" },
];

test("camera and microphone go on with the resident's yes and not before", () => {
  assert.deepEqual(on({}), []);
  assert.deepEqual(on({ agreed: true }), ["devices"]);
});

test("on the counter the devices stay on from the ring to the end of the call, also after a reload", () => {
  /** @type {[string, string[]][]} */
  const table = [
    ["waiting", ["devices", "warm", "awake"]],
    ["ringing", ["devices", "warm", "awake"]],
    ["talking", CALL],
    ["interrupted", CALL],
    ["deciding", CALL],
    ["closed", []],
  ];
  for (const [state, wanted] of table) assert.deepEqual(on({ call: call(state) }), wanted, state);
});

test("a closed call is not turned on again by a yes of before", () => {
  assert.deepEqual(on({ call: call("closed"), agreed: true }), []);
});

test("the desk has its camera on in a call and while it answers one, and not for a ring", () => {
  const desk = { page: "desk" };
  assert.deepEqual(on({ ...desk, open: false }), []);
  assert.deepEqual(on({ ...desk, agreed: true }), ["devices", "warm"]);
  for (const state of [null, "waiting", "ringing", "closed"]) assert.deepEqual(on({ ...desk, call: call(state) }), ["warm"], String(state));
  assert.deepEqual(on({ ...desk, call: call("talking") }), CALL);
});

test("a connection is warm at a desk that is 受付中 and at a counter that waits, over a line and no longer", () => {
  const desk = { page: "desk" };
  assert.deepEqual(on(desk), ["warm"]);
  assert.deepEqual(on({ ...desk, open: false }), []);
  assert.deepEqual(on({ ...desk, open: false, call: call("talking") }), CALL);
  assert.deepEqual(on({}), []);
  for (const state of /** @type {any[]} */ (["retrying", "connecting", "stopped"])) {
    assert.deepEqual(on({ ...desk, line: line({ state }) }), [], state);
    assert.equal(on({ call: call("waiting"), line: line({ state }) }).includes("warm"), false, state);
  }
  for (const away of SENT_AWAY) assert.deepEqual(on({ ...desk, ...away }), []);
});

test("a connection belongs to the call of its page, at the desk from the answer on", () => {
  const belongs = (/** @type {object} */ change) => mediaWanted(known(change)).callId;
  for (const state of ["waiting", "ringing", "talking", "interrupted", "deciding"]) assert.equal(belongs({ call: call(state) }), "one", state);
  for (const state of ["talking", "interrupted", "deciding"]) assert.equal(belongs({ page: "desk", call: call(state) }), "one", state);
  for (const state of [null, "waiting", "closed"]) assert.equal(belongs({ page: "desk", call: call(state) }), null, String(state));
});

test("a page that was sent away lets go of everything, and one that lost its line of nothing", () => {
  for (const away of SENT_AWAY) assert.deepEqual(on({ call: call("talking"), ...away }), [], JSON.stringify(away));
  assert.deepEqual(on({ call: call("talking"), line: line({ state: "retrying" }) }), CALL);
  assert.equal(mayRun(known({ line: line({ state: "connecting" }) })), false);
});

test("it rings at the desk that the call is offered to, with a line and without a call of its own", () => {
  const queue = { offered: "one", desks_open: 1, busy: false, waiting: [call("ringing")] };
  const rings = (/** @type {object} */ change) => ringWanted(known({ page: "desk", queue, ...change }))?.id ?? null;
  assert.equal(rings({}), "one");
  assert.equal(rings({ call: call("closed", "two") }), "one");
  assert.equal(rings({ call: call("talking", "two") }), null);
  assert.equal(rings({ queue: null }), null);
  assert.equal(rings({ queue: { ...queue, offered: null } }), null);
  assert.equal(rings({ queue: { ...queue, waiting: [] } }), null);
  for (const state of ["retrying", "connecting", "stopped"]) assert.equal(rings({ line: line({ state: /** @type {any} */ (state) }) }), null);
  for (const away of SENT_AWAY) assert.equal(rings(away), null);
});

test("what a change of the call means", () => {
  /** @type {[any, any, boolean, string | null][]} */
  const table = [
    [null, call("waiting"), true, null],
    [call("waiting"), call("ringing"), false, null],
    [call("deciding"), call("closed"), false, "closed"],
    [call("closed"), call("closed"), false, null],
    [call("closed"), null, true, null],
    [call("talking"), null, true, "vanished"],
    [call("talking"), call("talking", "two"), true, "vanished"],
    [call("closed"), call("talking", "two"), true, null],
    [null, null, false, null],
  ];
  for (const [before, now, renewed, told] of table) {
    assert.deepEqual(callChange(before, now), { renewed, told }, JSON.stringify([before, now]));
  }
});

test("a call is placed after a yes, over a line, once", () => {
  const yes = { agreed: true, busy: false, line: line() };
  assert.equal(placeLock(yes), null);
  assert.equal(placeLock({ ...yes, agreed: null }), "consent.why");
  assert.equal(placeLock({ ...yes, agreed: false }), "consent.why");
  assert.equal(placeLock({ ...yes, line: line({ state: "retrying" }) }), "idle.why.line");
  assert.equal(placeLock({ ...yes, busy: true }), "consent.placing");
});

test("the first open procedure stands chosen, until the resident chooses or theirs is closed", () => {
  const list = [
    { id: "a", status: "preparing" },
    { id: "b", status: "open" },
    { id: "c", status: "open" },
  ];
  assert.equal(chosenOf(list, null), "b");
  assert.equal(chosenOf(list, "c"), "c");
  assert.equal(chosenOf(list, "a"), "b");
  assert.equal(chosenOf([], "c"), null);
});

test("a device that nobody looked for is not missing", () => {
  assert.equal(healthOf("granted", null), "unknown");
  assert.equal(healthOf("granted", 0), "none");
  assert.deepEqual(["granted", "denied", "prompt", "unknown"].map((p) => healthOf(p, 1)), ["ready", "denied", "unknown", "unknown"]);
});

test("the advice follows the problem, the camera's first", () => {
  const none = { camera: null, microphone: null };
  assert.equal(troubleIn(none), null);
  assert.deepEqual(troubleIn({ camera: null, microphone: "in_use" }), { device: "microphone", problem: "in_use" });
  assert.deepEqual(troubleIn({ camera: "failed", microphone: "in_use" }), { device: "camera", problem: "failed" });
  assert.deepEqual(troubleIn(none, ["ready", "denied"]), { device: "microphone", problem: "not_allowed" });
  assert.deepEqual(troubleIn(none, ["none", "denied"]), { device: "camera", problem: "not_found" });
  assert.equal(troubleIn(none, ["unknown", "ready"]), null);
});
