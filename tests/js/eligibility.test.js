/** Why a call cannot be placed, in words: every code of `call.place` has its own, with the day that is entered. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { clauseWords, termsOf, unmetWords } from "../../static/app/parts/eligibility.js";
import { counterView, isTraining } from "../../static/app/parts/view.js";
import { setLanguage, useWords } from "../../static/app/parts/words.js";

const read = async (/** @type {string} */ code) =>
  JSON.parse(await readFile(new URL(`../../static/text/${code}.json`, import.meta.url), "utf8"));
useWords({ ja: await read("ja"), en: await read("en") });

/** @param {Partial<import("../../static/app/parts/eligibility.js").Eligibility>} [change] */
const said = (change = {}) => ({
  mode: /** @type {const} */ ("real"),
  allowed: false,
  terms: [],
  today: "2026-11-23",
  designated_on: null,
  resolved_on: null,
  opens_on: null,
  ...change,
});

/** @param {string} code @param {boolean} met */
const term = (code, met) => ({ code, met, clause: "", setting: "" });

test("each code is shown once, unmet if any of its terms is", () => {
  const terms = [term("not_found", true), term("no_clerk", false), term("outside_vpn", true), term("no_clerk", true), term("outside_vpn", true)];
  const { unmet, met } = termsOf(said({ terms }));
  assert.deepEqual([unmet.map(({ code }) => code), met.map(({ code }) => code)], [["no_clerk"], ["outside_vpn"]]);
});

test("a day that is entered is said, and that none is", () => {
  const without = unmetWords("office_not_designated", said());
  const dated = unmetWords("office_not_designated", said({ designated_on: "2026-12-01" }));
  assert.notEqual(without.what, dated.what);
});

test("what has no words of its own is told by those of its error", () => {
  assert.equal(unmetWords("nosuch", said()).todo, unmetWords("another", said()).todo);
});

test("a tablet is in training unless it was switched, and a call says it of itself", () => {
  const call = (/** @type {boolean} */ training) => /** @type {any} */ ({ training });
  assert.equal(isTraining({ you: null, call: null, practice: false }), true);
  assert.equal(isTraining({ you: { mode: "training" }, call: null, practice: false }), true);
  assert.equal(isTraining({ you: { mode: "real" }, call: null, practice: false }), false);
  assert.equal(isTraining({ you: { mode: "real" }, call: null, practice: true }), true);
  assert.equal(isTraining({ you: { mode: "real" }, call: call(true), practice: false }), true);
  assert.equal(isTraining({ you: { mode: "training" }, call: call(false), practice: true }), false);
});

test("the page of unmet terms gives way to a call", () => {
  const line = /** @type {any} */ ({ state: "open", closeCode: null, code: null });
  const known = { you: {}, line, ended: null, call: null, screen: /** @type {const} */ ("blocked"), trouble: false, arrives: false };
  assert.equal(counterView(known), "blocked");
  assert.equal(counterView({ ...known, call: /** @type {any} */ ({ state: "talking" }) }), "call");
});

test("what a term rests on is cited in the reader's language", () => {
  const clause = "Q&A 3; \u6cd5\u7b2c3\u6761\u7b2c3\u9805";
  setLanguage("en");
  assert.equal(clauseWords(clause), "Q&A 3; Act, Article 3 (3)");
  setLanguage("ja");
  assert.equal(clauseWords(clause), "\u554f3; \u6cd5\u7b2c3\u6761\u7b2c3\u9805");
});
