import assert from "node:assert/strict";
import test from "node:test";
import { deviating, draftOf, fieldOf, fromField, grouped, realEdit, refusals, toField } from "../../static/app/lib/policy.js";

const both = { ja: "", en: "" };

/** @param {Partial<import("../../static/app/lib/policy.js").Setting>} given @returns {import("../../static/app/lib/policy.js").Setting} */
const setting = (given) => ({
  key: "calls.resume_seconds",
  name: both,
  protects: both,
  source: "own",
  enforced: "",
  in_effect: true,
  waits: null,
  unit: both,
  choices: [],
  many: false,
  minimum: null,
  maximum: null,
  must_set: false,
  value: 120,
  words: both,
  baseline: 120,
  baseline_words: both,
  set_here: false,
  standing: "same",
  clause: "",
  looser: null,
  counts: {},
  ...given,
});
const number = setting({ minimum: 10, maximum: 600 });
const choices = [
  { value: "a", name: both },
  { value: "b", name: both },
];

test("settings that deviate stand before those that are the same", () => {
  const settings = [number, setting({ standing: "looser", counts: { 30: { asked: 9, refused: 2 } } })];
  const policy = { number: 1, since: null, rescued: false, unset: [], offices: [], people: [], sections: [{ key: "calls", title: both, settings }] };
  assert.deepEqual([...grouped(policy).keys()], ["looser", "to_set", "stricter", "different", "same"]);
  assert.equal(grouped(policy).get("looser")?.length, 1);
  assert.equal(deviating(policy.sections[0]), 1);
  assert.equal(refusals(settings, 30), 2);
  assert.equal(refusals(settings, 7), 0);
});

test("each setting gets the field that fits it", () => {
  assert.equal(fieldOf(number), "number");
  assert.equal(fieldOf(setting({ choices })), "choice");
  assert.equal(fieldOf(setting({ choices, many: true })), "choices");
  assert.equal(fieldOf(setting({ many: true })), "lines");
  assert.equal(fieldOf(setting({ many: true, key: "network.sources" })), "tables");
  assert.equal(fieldOf(setting({})), "text");
});

test("what comes out of a field is what went in", () => {
  const several = setting({ choices, many: true });
  const sources = setting({ many: true, key: "network.sources" });
  const rows = [{ networks: ["10.0.0.0/8", "2001:db8::/32"], roles: ["clerk"], offices: ["x1"] }, { networks: ["192.0.2.0/24"] }];
  assert.equal(fromField(number, toField(number, 60)), 60);
  assert.deepEqual(fromField(several, toField(several, ["b"])), ["b"]);
  assert.deepEqual(fromField(sources, toField(sources, rows)), rows);
  assert.deepEqual(fromField(setting({ many: true }), " 10.0.0.0/8 \n\n192.0.2.0/24"), ["10.0.0.0/8", "192.0.2.0/24"]);
});

test("an empty number takes the setting back, what is no number is left for the server to refuse", () => {
  assert.equal(fromField(number, " "), null);
  assert.equal(fromField(number, "6o"), "6o");
});

test("an edit that changes nothing is no edit", () => {
  assert.equal(realEdit(number, { value: 120, clause: "" }), null);
  assert.deepEqual(realEdit(number, { value: 60, clause: "" }), { value: 60 });
  assert.deepEqual(realEdit(number, { value: 120, clause: "第12条" }), { clause: "第12条" });
  const known = setting({ looser: { reason: "x", until: "2099-01-01" } });
  assert.equal(realEdit(known, { reason: "x", until: "2099-01-01" }), null);
});

test("a draft carries values, clauses and reasons apart", () => {
  const edits = { "a.b": { value: 1, clause: "第1条" }, "c.d": { reason: "工事", until: "2099-01-01" } };
  assert.deepEqual(draftOf(edits, "注"), {
    note: "注",
    values: { "a.b": 1 },
    clauses: { "a.b": "第1条" },
    looser: { "c.d": { reason: "工事", until: "2099-01-01" } },
  });
});
