/** The steps of a call as the pages draw them: order, what is missing, stills, what the resident and the clerk are shown. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { EMPTY, reduce } from "../../static/app/lib/state.js";
import {
  afterChange,
  answersOf,
  clerkLists,
  grantsOf,
  instructionOf,
  lacksOf,
  linesOf,
  nextLocked,
  nextOf,
  reopenedOf,
  stillLock,
  stillWanted,
  tilesOf,
} from "../../static/app/lib/steps.js";
import { takeStill } from "../../static/app/lib/still.js";
import { approvalState } from "../../static/app/parts/approvals.js";
import { cardOf } from "../../static/app/parts/desk-cards.js";
import { chipLack } from "../../static/app/parts/desk-chip.js";
import { addLock } from "../../static/app/parts/steps-documents.js";
import { digitsOf } from "../../static/app/parts/steps-needs.js";
import { lackWords, validWords, waysWords } from "../../static/app/parts/steps-words.js";
import { setLanguage, useWords } from "../../static/app/parts/words.js";
import { call, file, need, step, steps } from "./support/nouns.js";

const read = async (/** @type {string} */ code) =>
  JSON.parse(await readFile(new URL(`../../static/text/${code}.json`, import.meta.url), "utf8"));
useWords({ ja: await read("ja"), en: await read("en") });
setLanguage("ja");

/** @param {string[]} states of steps a, b, c … that all reopen */
const walked = (...states) =>
  linesOf(steps({ steps: states.map((state, index) => step("abcdef"[index], { state: /** @type {any} */ (state), reopens: true })) }));
const way = (/** @type {object} */ fields) => ({ a: 0, b: 0, pin: false, notice: false, ...fields });

test("the open step stays open when it is done, until the desk goes on", () => {
  const before = walked("done", "now", "locked");
  assert.equal(afterChange(null, before, []), "b");
  const after = walked("done", "done", "now");
  assert.equal(nextLocked(before, "b"), true);
  assert.equal(afterChange("b", after, before), "b");
  assert.equal(nextLocked(after, "b"), false);
  assert.equal(nextOf(after, "b"), "c");
  assert.equal(nextOf(walked("done", "done", "done"), "c"), null);
  const meanwhile = walked("now", "open", "locked");
  assert.equal(nextLocked(meanwhile, "a"), false, "a senior is asked about the first");
  assert.equal(nextOf(meanwhile, "a"), "b");
  assert.equal(afterChange("b", [], after), null);
});

test("a step that opens again after an interruption is the open one, and only then", () => {
  const before = walked("done", "done", "now", "locked");
  const after = walked("done", "now", "locked", "locked");
  assert.equal(afterChange("c", after, before), "b");
  assert.deepEqual(reopenedOf(after, before, []), ["b"]);
  assert.deepEqual(reopenedOf(after, after, ["b"]), ["b"], "until it is done");
  assert.deepEqual(reopenedOf(before, after, ["b"]), []);
  assert.equal(afterChange("a", after, before), "a", "who looks at an earlier step is not taken away from it");
  assert.deepEqual(reopenedOf(walked("done", "now", "locked"), [], []), [], "a step that comes for the first time");
  const later = linesOf(steps({ steps: [step("a", { state: "now", reopens: true }), step("b", { needs: [need({ kind: "still", bound: ["f"] })] })] }));
  assert.deepEqual(reopenedOf(later, [], []), ["a"], "a page that was loaded anew");
  assert.equal(nextOf(after, "d"), "b", "the steps before are still to be done");
});

test("what is missing is told with the number of its step, in words", () => {
  const lacks = lacksOf(steps());
  assert.deepEqual(lacks.map(({ number }) => number), [2, 3]);
  assert.deepEqual(lacks.map((lack) => lackWords(lack)), ["顔の静止画 あと1枚", "原本確認（局員） あと2"]);
  assert.deepEqual(lacksOf(steps({ missing: [{ step: "gone", need: 0, kind: "tick", left: 1 }] })), []);
  assert.deepEqual(lacksOf(null), []);
});

test("documents that are wanted are told in words, the nearest way first", () => {
  assert.equal(waysWords([way({ b: 1 })]), "B をもう1点");
  assert.equal(waysWords([way({ pin: true }), way({ a: 1 }), way({ b: 2, notice: true })]), "暗証番号の入力、または A をもう1点、または B をもう2点と照会書");
  const documents = { shown: [], pin: false, notice: false, excused: false, ways: [way({ b: 1 }), way({ a: 1, pin: true })] };
  assert.equal(lackWords({ ...need({ kind: "documents", documents }), step: "d" }), "B をもう1点、または A をもう1点と暗証番号の入力");
  assert.deepEqual(grantsOf(documents), ["pin"]);
  assert.deepEqual(grantsOf({ ...documents, notice: true, ways: [] }), ["notice"]);
});

test("a document says until when it counts, and that it does not any more", () => {
  assert.equal(validWords({ expires: null, counts: true }).kind, "ok");
  assert.match(validWords({ expires: "2026-11-23", counts: true }).words, /2026年11月23日.*まで有効/);
  const expired = validWords({ expires: "2026-11-22", counts: false });
  assert.equal(expired.kind, "stop");
  assert.match(expired.words, /期限切れ/);
  assert.equal(addLock("", "2026-11-23", false), "documents.need.kind");
  assert.equal(addLock("passport", "", false), "documents.need.expires");
  assert.equal(addLock("passport", "", true), null);
  assert.equal(addLock("passport", "2026-11-23", false), null);
});

test("the tray shows what was taken, what is on its way and what is still wanted", () => {
  const lines = linesOf(steps());
  const states = (/** @type {any[]} */ tiles) => tiles.map(({ state }) => state);
  const files = { f1: file("f1", { state: "offered" }) };
  assert.deepEqual(states(tilesOf(lines, files, {})), ["taken", "wanted"]);
  const asked = { "face/0": "face-0.jpg" };
  assert.deepEqual(states(tilesOf(lines, files, asked)), ["taken", "asked"]);
  const arriving = { ...files, f2: file("f2", { name: "face-0.jpg" }) };
  assert.deepEqual(states(tilesOf(lines, arriving, asked)), ["taken", "arriving"]);
  const refused = { ...files, f2: file("f2", { name: "face-0.jpg", state: "refused" }) };
  assert.deepEqual(states(tilesOf(lines, refused, asked)), ["taken", "refused"]);
  const forged = { ...files, f2: file("f2", { name: "face-0.jpg", from: "desk" }) };
  assert.deepEqual(states(tilesOf(lines, forged, asked)), ["taken", "asked"]);
});

test("a still is asked for while the counter can give one, of a step whose turn has come", () => {
  const [code, face, documents] = linesOf(steps());
  assert.equal(stillLock(call(), true, face), null);
  assert.equal(stillLock(call(), false, face), "line");
  assert.equal(stillLock(call({ state: "interrupted" }), true, face), "line");
  assert.equal(stillLock(call({ veiled: true }), true, face), "veiled");
  const dark = { present: true, camera: /** @type {const} */ ("lost"), microphone: /** @type {const} */ ("on"), path: null };
  assert.equal(stillLock(call({ parties: { ...call().parties, counter: dark } }), true, face), "camera");
  assert.equal(stillLock(call(), true, code), "step");
  assert.equal(stillLock(call(), true, { ...face, state: "locked" }), "later");
  assert.equal(stillWanted(documents), null);
  const enough = { ...face, needs: [{ ...face.needs[0], done: true }] };
  assert.equal(stillWanted(enough), enough.needs[0], "one that has been taken can be taken again");
});

test("the counter is told the step, its number and the code, and what the clerk ticks in which turn", () => {
  assert.deepEqual(instructionOf(steps()), { id: "face", number: 2, of: 3, now: { ja: "faceの [今|いま]", en: "now face" }, code: null });
  assert.equal(instructionOf(steps({ current: "code" }))?.code, "4729");
  assert.equal(instructionOf(steps({ current: null })), null);
  assert.equal(instructionOf(null), null);
  const lists = clerkLists(steps());
  assert.deepEqual(lists.map(({ need, open }) => [need.step, open]), [["documents", false]]);
});

test("digits are taken in full width too, and nothing else", () => {
  assert.equal(digitsOf("４７-2 9５"), "4729");
  assert.equal(digitsOf("十"), "");
});

test("a card is that which was chosen, else of the document shown last, else one that is filled in", () => {
  const kinds = ["passport", "residence-card"].map((kind) => /** @type {any} */ ({ kind, card: { complete: kind === "residence-card" } }));
  assert.equal(cardOf(kinds, null, [])?.kind, "residence-card");
  assert.equal(cardOf(kinds, null, [{ kind: "passport" }])?.kind, "passport");
  assert.equal(cardOf(kinds, "residence-card", [{ kind: "passport" }])?.kind, "residence-card");
  assert.equal(cardOf([], null, []), null);
});

test("a result of a chip wants document, tool and result; a confirmation stands in one of four ways", () => {
  assert.equal(chipLack({ document: "", tool: "", result: "" }), "chip.need.document");
  assert.equal(chipLack({ document: "passport", tool: " ", result: "agrees" }), "chip.need.tool");
  assert.equal(chipLack({ document: "passport", tool: "reader", result: "" }), "chip.need.result");
  assert.equal(chipLack({ document: "passport", tool: "reader", result: "agrees" }), null);
  const approval = (/** @type {boolean | null} */ approved) => /** @type {any} */ ({ approved });
  assert.deepEqual([undefined, approval(null), approval(true), approval(false)].map(approvalState), ["none", "asked", "given", "refused"]);
});

test("steps are kept with their call, the newer before the older, also when they come first", () => {
  const told = reduce(EMPTY, /** @type {any} */ ({ type: "steps", steps: steps() }), 0);
  const inCall = reduce(told, /** @type {any} */ ({ type: "call", call: call() }), 0);
  assert.equal(inCall.steps?.version, 4);
  const old = reduce(inCall, /** @type {any} */ ({ type: "steps", steps: steps({ version: 3 }) }), 0);
  assert.equal(old.steps?.version, 4);
  const other = reduce(inCall, /** @type {any} */ ({ type: "call", call: call({ id: "call-2" }) }), 0);
  assert.equal(other.steps, null);
});

test("what a senior has answered is told once, and nothing of it when a page or another call begins", () => {
  const approval = (/** @type {object} */ said) =>
    /** @type {any} */ ({ about: "documents", reason: "r", asked_by: { name: "d" }, asked_at: "1", approved: null, answer: null, answered_by: null, answered_at: null, ...said });
  const no = approval({ approved: false, answer: "n", answered_by: { name: "s" }, answered_at: "2" });
  const [asked, answered, again] = [[approval({})], [no], [no, approval({ asked_at: "3" })]].map((approvals) => steps({ approvals }));
  assert.deepEqual(answersOf(answered, asked), [no]);
  assert.deepEqual(answersOf(again, answered), []);
  assert.deepEqual(answersOf(answered, null), []);
  assert.deepEqual(answersOf(answered, { ...asked, call: "another" }), []);
});

const live = /** @type {any} */ ({ readyState: "live", enabled: true });
const jpeg = new Blob(["picture"], { type: "image/jpeg" });
const none = async () => null;

test("a still is taken in the best way that the browser has, and in the next when that fails or hangs", async () => {
  const taken = (/** @type {any} */ capture, /** @type {object} */ more = {}) =>
    takeStill(live, { name: "a.jpg", ImageCaptureClass: capture, draw: none, filmed: async () => jpeg, ...more });
  class Works {
    takePhoto = async () => new Blob(["large picture"], { type: "image/jpeg" });
  }
  class Fails {
    takePhoto = () => Promise.reject(new Error("busy"));
  }
  class Hangs {
    takePhoto = () => new Promise(() => {});
  }
  const hurry = { setTimer: (/** @type {() => void} */ run) => setTimeout(run, 1) };
  assert.equal((await taken(Works)).size, 13);
  assert.equal((await taken(Fails)).size, jpeg.size);
  assert.equal((await taken(Hangs, hurry)).size, jpeg.size);
  const plain = await taken(null);
  assert.deepEqual([plain.name, plain.type], ["a.jpg", "image/jpeg"]);
});

test("no still is taken of a camera that is off, gone or gives nothing", async () => {
  const refused = { code: "no_picture" };
  const options = { name: "a.jpg", ImageCaptureClass: null, draw: none, filmed: none };
  await assert.rejects(takeStill(null, options), refused);
  await assert.rejects(takeStill({ ...live, enabled: false }, options), refused);
  await assert.rejects(takeStill({ ...live, readyState: "ended" }, options), refused);
  await assert.rejects(takeStill(live, options), refused);
});
