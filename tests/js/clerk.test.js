import assert from "node:assert/strict";
import { test } from "node:test";
import { createClerkSignIn } from "../../static/app/lib/clerk.js";
import { ServerError } from "../../static/app/lib/errors.js";
import { counterView } from "../../static/app/parts/view.js";

const ICHIKA = { id: "c1", name: "見本 いちか", pin: true };
const FUTABA = { id: "c2", name: "見本 ふたば", pin: false };

function world() {
  /** @type {any[]} */
  const sent = [];
  /** @type {(ServerError | object)[]} */
  const answers = [];
  /** @type {any[]} */
  const done = [];
  const clock = { now: 1_000_000 };
  const api = {
    get: async () => ({ clerks: [ICHIKA, FUTABA] }),
    post: async (/** @type {string} */ path, /** @type {unknown} */ body) => {
      sent.push([path, body]);
      const answer = answers.shift();
      if (answer instanceof ServerError) throw answer;
      return { you: answer ?? {} };
    },
  };
  const clerk = createClerkSignIn({ api, now: () => clock.now, done: (you) => done.push(you) });
  return { clerk, sent, answers, done, clock };
}

/** @param {ReturnType<typeof world>["clerk"]} clerk @param {string} pin */
async function enter(clerk, pin) {
  clerk.type(pin);
  await clerk.submit();
}

test("a clerk is chosen and signed in by PIN, which is forgotten at once", async () => {
  const { clerk, sent, done } = world();
  await clerk.load();
  clerk.choose(FUTABA);
  assert.equal(clerk.step.value, "who", "who has no PIN cannot be chosen");
  clerk.choose(ICHIKA);
  await enter(clerk, "７３０ 1-84");
  assert.deepEqual(sent, [["clerk", { clerk: "c1", pin: "730184" }]]);
  assert.equal(clerk.typed.value, "");
  assert.equal(clerk.step.value, "who");
  assert.equal(done.length, 1);
});

test("the own PIN is changed: the present one, then the new one twice", async () => {
  const { clerk, sent, answers } = world();
  clerk.choose(ICHIKA);
  clerk.change();
  await enter(clerk, "730184");
  assert.deepEqual([clerk.step.value, sent.length], ["new", 0]);
  await enter(clerk, "516273");
  answers.push(new ServerError("bad_pin"), {});
  await enter(clerk, "516273");
  assert.deepEqual(sent.at(-1), ["clerk", { clerk: "c1", pin: "730184", new_pin: "516273" }]);
  assert.deepEqual([clerk.step.value, clerk.error.value, clerk.changing.value], ["pin", "bad_pin", true]);
  clerk.change();
  await enter(clerk, "730184");
  assert.deepEqual(sent.at(-1), ["clerk", { clerk: "c1", pin: "730184" }]);
  assert.equal(clerk.changing.value, false);
});

test("what is too short is not sent, what is too long is cut", async () => {
  const { clerk, sent } = world();
  clerk.choose(ICHIKA);
  await enter(clerk, "73018");
  assert.deepEqual([clerk.error.value, sent.length], ["short", 0]);
  clerk.type("1234567890123");
  assert.equal(clerk.typed.value.length, 12);
});

test("after wrong PINs nothing is sent before the seconds are over", async () => {
  const { clerk, sent, answers, clock } = world();
  clerk.choose(ICHIKA);
  answers.push(new ServerError("bad_pin"), new ServerError("pin_wait", "", { limit: 5 }));
  await enter(clerk, "111111");
  assert.deepEqual([clerk.error.value, clerk.step.value, clerk.typed.value], ["bad_pin", "pin", ""]);
  await enter(clerk, "111111");
  assert.equal(clerk.waitUntil.value, clock.now + 5000);
  await enter(clerk, "730184");
  assert.equal(sent.length, 2);
  clock.now += 5000;
  await clerk.submit();
  assert.equal(sent.length, 3);
});

test("a first PIN leads to the choice of the own one, twice the same", async () => {
  const { clerk, sent, answers, done } = world();
  clerk.choose(ICHIKA);
  answers.push(new ServerError("pin_change"));
  await enter(clerk, "40718263");
  assert.equal(clerk.step.value, "new");
  await enter(clerk, "730184");
  assert.equal(clerk.step.value, "again");
  await enter(clerk, "730185");
  assert.deepEqual([clerk.step.value, clerk.error.value, sent.length], ["new", "differ", 1]);
  const reasons = [{ code: "pin_trivial", message: "" }];
  answers.push(new ServerError("weak_pin", "", { reasons }));
  await enter(clerk, "123456");
  await enter(clerk, "123456");
  assert.deepEqual([clerk.step.value, clerk.reasons.value], ["new", ["pin_trivial"]]);
  await enter(clerk, "730184");
  await enter(clerk, "730184");
  assert.deepEqual(sent.at(-1), ["clerk", { clerk: "c1", pin: "40718263", new_pin: "730184" }]);
  assert.equal(done.length, 1);
});

test("the tablet asks for a clerk when nobody is signed in, but never hides a call or its result", () => {
  const line = /** @type {any} */ ({ state: "open", closeCode: null });
  const known = { line, ended: null, screen: /** @type {const} */ ("idle"), trouble: false, arrives: false };
  const call = (/** @type {string} */ state) => /** @type {any} */ ({ state, interrupted: null });
  assert.equal(counterView({ ...known, you: { clerk: null }, call: null }), "signing");
  assert.equal(counterView({ ...known, you: { clerk: { name: "x" } }, call: null }), "idle");
  assert.equal(counterView({ ...known, you: { clerk: null }, call: call("talking") }), "call");
  assert.equal(counterView({ ...known, you: { clerk: null }, call: call("closed") }), "result");
});
