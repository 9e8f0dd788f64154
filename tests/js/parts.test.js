/** What the pages decide without a browser: which view, what is locked, which words. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { createAnnouncer } from "../../static/app/parts/announce.js";
import { instruction } from "../../static/app/parts/counter-call.js";
import { decisionWords } from "../../static/app/parts/decision.js";
import { reasonLack } from "../../static/app/parts/decision-dialog.js";
import { followDrops } from "../../static/app/parts/drop.js";
import { heard, lineAdvice, pathTrouble, refusedPath } from "../../static/app/parts/flow.js";
import { signal } from "../../static/app/parts/html.js";
import { composeReason, PRESETS, tellReason } from "../../static/app/parts/reasons.js";
import { plain } from "../../static/app/parts/rich.js";
import { followKeys } from "../../static/app/parts/shortcuts.js";
import { findTemplate, lastAsked, TEMPLATES, templateText } from "../../static/app/parts/templates.js";
import { totalWords } from "../../static/app/parts/total.js";
import { counterView, deskView, outcomeLock } from "../../static/app/parts/view.js";
import { useWords } from "../../static/app/parts/words.js";
import { arrowMove, holdInside, nextZoom } from "../../static/app/parts/zoom.js";
import { chat, steps } from "./support/nouns.js";

const LANGUAGES = /** @type {const} */ (["ja", "en"]);
const read = async (/** @type {string} */ code) =>
  JSON.parse(await readFile(new URL(`../../static/text/${code}.json`, import.meta.url), "utf8"));
useWords({ ja: await read("ja"), en: await read("en") });

/** @typedef {import("../../static/app/lib/protocol.js").CallNoun} CallNoun */
/** @typedef {import("../../static/app/lib/connection.js").Status} Status */

/** @param {Partial<Status>} [change] @returns {Status} */
const line = (change = {}) => ({ state: "open", closeCode: null, code: null, since: 0, attempt: 0, ...change });

/** @param {import("../../static/app/lib/protocol.js").CallState} state @param {("counter" | "desk")[]} [lost] */
const call = (state, lost = []) =>
  /** @type {CallNoun} */ (
    /** @type {unknown} */ ({ state, interrupted: lost.length ? { since: "", gives_up_at: "", lost } : null })
  );

/** @param {Partial<Parameters<typeof counterView>[0]>} [change] */
const known = (change = {}) => ({
  you: {},
  line: line(),
  ended: null,
  call: null,
  screen: /** @type {const} */ ("idle"),
  trouble: false,
  arrives: false,
  ...change,
});

test("the counter's view follows the call's state", () => {
  const views = { waiting: "waiting", ringing: "waiting", talking: "call", deciding: "call", closed: "result" };
  for (const [state, view] of Object.entries(views)) {
    assert.equal(counterView(known({ call: call(/** @type {any} */ (state)) })), view);
  }
});

test("a path that the policy refuses is told of the own end first, then of the other", () => {
  const party = (/** @type {string | null} */ path) => ({ present: true, camera: /** @type {const} */ ("on"), microphone: /** @type {const} */ ("on"), path });
  assert.equal(refusedPath({ counter: party(null), desk: party(null) }, "desk"), null);
  assert.equal(refusedPath(undefined, "desk"), null);
  const refused = { counter: party("outside_vpn"), desk: party(null) };
  assert.deepEqual(refusedPath(refused, "desk"), { whose: "counter", code: "outside_vpn" });
  assert.deepEqual(refusedPath(refused, "counter"), { whose: "own", code: "outside_vpn" });
});

test("an interrupted call says whose line is lost", () => {
  assert.equal(counterView(known({ call: call("interrupted", ["desk"]) })), "break-desk");
  assert.equal(counterView(known({ call: call("interrupted", ["counter"]) })), "break-own");
  assert.equal(counterView(known({ call: call("talking"), line: line({ state: "retrying" }) })), "break-own");
});

test("what still arrives is not hidden because the server is away or calls the call interrupted", () => {
  const arrives = { arrives: true };
  const retrying = { ...arrives, line: line({ state: "retrying" }) };
  assert.equal(counterView(known({ ...arrives, call: call("interrupted", ["desk"]) })), "call");
  assert.equal(counterView(known({ ...retrying, call: call("talking") })), "call");
  assert.equal(counterView(known({ ...retrying, call: call("waiting") })), "break-own");
  assert.equal(counterView(known({ ...retrying, call: call("closed") })), "result");
  const stopped = line({ state: "stopped", closeCode: 4001 });
  assert.equal(counterView(known({ ...arrives, call: call("talking"), line: stopped })), "taken");
});

test("a line that is lost while waiting is shown, with the time that the seat is kept", () => {
  for (const state of /** @type {const} */ (["waiting", "ringing"])) {
    assert.equal(counterView(known({ call: call(state), line: line({ state: "retrying" }) })), "break-own");
  }
});

test("a camera that cannot be used stops before the ring, never a running call", () => {
  assert.equal(counterView(known({ screen: "consent", trouble: true })), "trouble");
  assert.equal(counterView(known({ trouble: true })), "idle");
  assert.equal(counterView(known({ trouble: true, call: call("talking") })), "call");
});

test("what ends the page stands above the call", () => {
  const running = { call: call("talking") };
  assert.equal(counterView(known({ ...running, ended: "tablet_revoked" })), "ended");
  for (const closeCode of [4001, 4002, 4003]) {
    assert.equal(counterView(known({ ...running, line: line({ state: "stopped", closeCode }) })), "taken");
  }
  assert.equal(deskView(known({ line: line({ state: "stopped", closeCode: 4004 }) })), "ended");
  assert.equal(deskView(known({ line: line({ state: "stopped", closeCode: 1002 }) })), "broken");
  assert.equal(deskView(known({ you: null })), "loading");
});

test("the desk keeps its call through an interruption and is free after the end", () => {
  for (const state of /** @type {const} */ (["talking", "interrupted", "deciding"])) {
    assert.equal(deskView(known({ call: call(state) })), "call");
  }
  assert.equal(deskView(known({ call: call("closed") })), "queue");
});

test("while the line is lost only returned and aborted may be given", () => {
  const locked = (/** @type {any} */ outcome) => outcomeLock(outcome, call("interrupted", ["counter"]), line(), null) !== null;
  assert.deepEqual(["verified", "returned", "refused", "aborted"].map(locked), [true, false, true, false]);
});

test("nothing can be decided without a line of one's own", () => {
  for (const outcome of /** @type {const} */ (["verified", "returned", "refused", "aborted"])) {
    assert.equal(outcomeLock(outcome, call("talking"), line({ state: "retrying" }), null), "decide.locked.own");
  }
});

test("a preset reason is told in the reader's language, with what was written beside it", () => {
  for (const preset of Object.values(PRESETS).flat()) {
    const sent = composeReason(preset, " 資格確認書 ");
    assert.equal(tellReason(sent, "ja"), sent);
    assert.match(tellReason(sent, "en"), /^[\x20-\x7e]+ 資格確認書$/);
  }
});

test("a reason of one's own is told as it was written", () => {
  assert.equal(tellReason(composeReason(null, "ほかの理由"), "en"), "ほかの理由");
  assert.equal(tellReason(null, "ja"), "");
});

test("another reason that is not written yet asks to be written, not to be chosen", () => {
  assert.equal(reasonLack("", ""), "decide.need.reason");
  assert.equal(reasonLack("other", ""), "decide.need.written");
  assert.equal(reasonLack("expired", "x"), null);
});

test("no preset begins with the words of another", () => {
  const sentences = Object.values(PRESETS).flat().map((preset) => composeReason(preset, ""));
  for (const one of sentences) {
    assert.equal(sentences.filter((other) => one.startsWith(other)).length, 1);
  }
});

test("the reasons that the server gives itself have words", () => {
  for (const code of ["withdrawn", "line_lost", "tablet_revoked", "outside_vpn", "outside_network", "tls_too_old"]) {
    for (const language of LANGUAGES) assert.notEqual(tellReason(code, language), code);
  }
});

test("a set sentence is found again in either language", () => {
  for (const { id } of TEMPLATES) {
    for (const language of LANGUAGES) {
      assert.equal(findTemplate(templateText(id, language))?.id, id);
    }
  }
  const sentences = TEMPLATES.flatMap(({ id }) => LANGUAGES.map((language) => templateText(id, language)));
  assert.equal(new Set(sentences).size, TEMPLATES.length * LANGUAGES.length);
  assert.equal(findTemplate(`${sentences[0]} `), null);
});

test("the instruction is the last set sentence of the desk, whatever the clerk writes", () => {
  const say = (/** @type {"desk" | "counter"} */ from, /** @type {string} */ text) =>
    /** @type {import("../../static/app/lib/protocol.js").ChatNoun} */ (/** @type {unknown} */ ({ from, text }));
  const chat = [say("desk", templateText("nearer", "ja")), say("desk", "はい"), say("counter", templateText("back", "ja"))];
  assert.equal(lastAsked(chat)?.template.id, "nearer");
  assert.equal(lastAsked([]), null);
});

/** The counter's page as far as its instruction asks. @param {any[]} messages @param {object} [fields] @param {any} [told] the steps */
const asked = (messages, fields = {}, told = null) =>
  instruction({
    media: /** @type {any} */ ({ arrives: signal(true) }),
    store: /** @type {any} */ ({
      call: signal({ id: "call-1", state: "talking", veiled: false, ...fields }),
      chat: signal(messages),
      connection: signal(line()),
      steps: signal(told),
    }),
    stepSince: signal(Date.parse("2026-11-23T01:00:30.000Z")),
    now: signal(Date.parse("2026-11-23T01:01:30.000Z")),
  });
/** @param {number} number @param {string} id @param {string} [at] */
const tapped = (number, id, at = "2026-11-23T01:01:00.000Z") => chat(number, { from: "desk", text: templateText(id, "ja"), at });

test("the same set sentence tapped twice is an instruction anew", () => {
  const [once, twice] = [asked([tapped(1, "back")]), asked([tapped(1, "back"), tapped(2, "back")])];
  assert.equal(once.key, twice.key);
  assert.notEqual(once.mark, twice.mark);
  assert.equal(asked([tapped(1, "back"), chat(2)]).mark, once.mark);
});

test("the resident is told the step, until the desk asks for something else in it; the code before all else", () => {
  const face = steps();
  assert.deepEqual(asked([], {}, face).say, { ja: "faceの [今|いま]", en: "now face" });
  assert.equal(asked([tapped(1, "back")], {}, face).key, "template.back.say");
  assert.ok(asked([tapped(1, "back", "2026-11-23T01:00:00.000Z")], {}, face).say, "what was asked in an earlier step is over");
  assert.equal(asked([], {}, { ...face, call: "another" }).say, undefined);
  assert.equal(asked([], { state: "deciding" }, face).key, "call.deciding");
  const code = asked([tapped(1, "back")], {}, steps({ current: "code" }));
  assert.equal(code.code, "4729");
  assert.equal(asked([], { veiled: true }, steps({ current: "code" })).code, undefined);
});

test("what a decision wants of the steps is told after what is wrong with the line", () => {
  const locked = { locked: true, missing: /** @type {any} */ ([{}]) };
  const lock = (/** @type {any} */ outcome, /** @type {any} */ told) => outcomeLock(outcome, call("talking"), line(), told);
  assert.equal(lock("verified", locked), "decide.locked.steps");
  assert.equal(lock("completed", { locked: true, missing: [] }), "decide.locked.senior");
  assert.equal(lock("verified", { locked: false, missing: [] }), null);
  for (const outcome of ["returned", "refused", "aborted"]) assert.equal(lock(outcome, locked), null);
  const talking = call("talking");
  assert.equal(decisionWords(["decide.locked.steps", null], talking, null).key, "decide.locked.steps");
  assert.equal(decisionWords(["decide.locked.lost", null], talking, null).key, "decide.locked.lost");
  const poor = /** @type {any} */ ({ abort_offered: true });
  assert.equal(decisionWords(["decide.locked.steps", null], talking, poor).key, "quality.abort");
});

test("thanks stand for a moment and leave no instruction behind", () => {
  const before = tapped(1, "back");
  assert.equal(asked([before, tapped(2, "thanks", "2026-11-23T01:01:25.000Z")]).key, "template.thanks.say");
  assert.equal(asked([before, tapped(2, "thanks")]).key, "call.talk");
  assert.equal(asked([before], { state: "interrupted" }).key, "call.away");
  assert.equal(asked([before], { veiled: true }).key, "veil.instruction");
});

test("nothing is said to be well while the path stalls, an offer is refused or a microphone is off", () => {
  const party = { present: true, camera: /** @type {const} */ ("on"), microphone: /** @type {const} */ ("on"), path: null };
  assert.equal(pathTrouble("flowing", "bad_sdp"), null);
  assert.deepEqual([pathTrouble("stalled", null), pathTrouble("connecting", "bad_sdp")], ["stalled", "refused"]);
  assert.equal(lineAdvice("flowing", null, null), "own.good");
  assert.equal(lineAdvice("stalled", null, null), "own.stalled");
  assert.equal(heard(party, "flowing"), true);
  assert.equal(heard(party, "stalled"), false);
  for (const microphone of /** @type {const} */ (["off", "lost"])) assert.equal(heard({ ...party, microphone, path: null }, "flowing"), false);
});

test("the same announcement twice is said twice, with silence between", () => {
  /** @type {(() => void)[]} */
  const timers = [];
  const voice = createAnnouncer({ setTimer: (run) => timers.push(run) });
  /** @type {string[]} */
  const said = [];
  voice.polite.subscribe((text) => void said.push(text));
  for (const text of ["a", "a"]) {
    voice.say(text);
    timers.shift()?.();
  }
  assert.deepEqual(said, ["", "a", "", "a"]);
});

test("files over a page are noticed until they leave it, however many parts they cross", () => {
  const target = new EventTarget();
  /** @type {boolean[]} */
  const over = [];
  /** @type {unknown[]} */
  const taken = [];
  followDrops(target, { onOver: (now) => over.push(now), onFiles: (files) => taken.push(...files) });
  const drag = (/** @type {string} */ type, types = ["Files"]) => {
    const event = Object.assign(new Event(type, { cancelable: true }), { dataTransfer: { types, files: ["a.pdf"] } });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  for (const type of ["dragenter", "dragenter", "dragleave"]) drag(type);
  assert.equal(over.at(-1), true);
  drag("dragleave");
  assert.equal(over.at(-1), false);
  assert.equal(drag("drop", ["text/plain"]), false);
  drag("dragenter");
  assert.equal(drag("drop"), true);
  assert.deepEqual([over.at(-1), taken], [false, ["a.pdf"]]);
});

test("readings are taken out of plain text", () => {
  assert.equal(plain("[用紙|ようし]を もう[少|すこ]し"), "用紙を もう少し");
});

test("the enlarged picture always covers its box", () => {
  const box = { width: 800, height: 450 };
  assert.deepEqual(holdInside({ x: 999, y: -999 }, 2, box), { x: 400, y: -225 });
  assert.deepEqual(holdInside({ x: 10, y: 10 }, 1, box), { x: 0, y: 0 });
  assert.deepEqual(arrowMove("ArrowLeft", { x: 0, y: 0 }, box), { x: 80, y: 0 });
  assert.equal(arrowMove("a", { x: 0, y: 0 }, box), null);
});

test("zoom goes 1, 2, 4 and back", () => {
  assert.deepEqual([1, 2, 4].map(nextZoom), [2, 4, 1]);
});

test("a key works with Alt only, never while a text is composed", () => {
  const target = new EventTarget();
  let pressed = 0;
  const off = followKeys({ A: () => (pressed += 1) }, target);
  const press = (/** @type {object} */ how) =>
    target.dispatchEvent(Object.assign(new Event("keydown"), { code: "KeyA", altKey: true, ...how }));
  press({});
  press({ altKey: false });
  press({ isComposing: true });
  press({ keyCode: 229 });
  press({ ctrlKey: true });
  press({ repeat: true });
  assert.equal(pressed, 1);
  off();
  press({});
  assert.equal(pressed, 1);
});

test("after a call its shares and their main cause are told, and nothing of what was not", () => {
  const good = { good_percent: 100, fair_percent: 0, poor_percent: 0, cause: null, place: null };
  assert.equal(totalWords(good), "良好 100%");
  const bad = /** @type {const} */ ({ ...good, good_percent: 60, poor_percent: 40, cause: "loss", place: "counter" });
  assert.equal(totalWords(bad), "良好 60%・不良 40%。おもな原因 窓口側の通信の欠け");
});
