/** What the officer's page draws and waits for, without a browser. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { approvalTerms } from "../../static/app/parts/officer-change.js";
import { Row } from "../../static/app/parts/officer-policy.js";
import { OfficerSheet } from "../../static/app/parts/officer-sheet.js";
import { useWords } from "../../static/app/parts/words.js";

const read = async (/** @type {string} */ code) =>
  JSON.parse(await readFile(new URL(`../../static/text/${code}.json`, import.meta.url), "utf8"));
const words = { ja: await read("ja"), en: await read("en") };
useWords(words);

const both = { ja: "", en: "" };
const setting = {
  key: "network.vpn", name: both, protects: both, source: "own", enforced: "call.place, server/retention.py", in_effect: true,
  waits: null, words: both, baseline_words: both, standing: "same", clause: "", looser: null, counts: null,
};
const WHERE = `効くところ: ${words.ja["action.call.place"]}、server/retention.py`;

/** @param {Record<string, any>} signals @returns {any} */
const app = (signals) => Object.fromEntries(Object.entries(signals).map(([key, value]) => [key, { value }]));

test("where a setting is enforced stands on the page and on the sheet, of none that waits", () => {
  const shown = (/** @type {any} */ one) => {
    const given = app({ policy: { number: 0, since: null, sections: [{ key: "network", title: both, settings: [one] }] }, you: null, edits: {} });
    return [OfficerSheet({ app: given }), Row({ app: given, setting: one, onEdit: () => {} })].map((drawn) => JSON.stringify(drawn));
  };
  for (const drawn of shown(setting)) assert.ok(drawn.includes(WHERE));
  for (const drawn of shown({ ...setting, enforced: "", in_effect: false, waits: both })) assert.ok(!drawn.includes("効くところ"));
});

test("no version is approved before its rehearsal has come, nor where that failed", () => {
  const version = /** @type {any} */ ({ number: 2, state: "draft", author: { id: "a" } });
  const unmet = (/** @type {any} */ rehearsal) =>
    approvalTerms(app({ you: { person: { id: "b" }, appointed: true }, rehearsal }), version)
      .filter(([met]) => !met)
      .map(([, key]) => key);
  assert.deepEqual(unmet(null), ["approval.rehearsed"]);
  assert.deepEqual(unmet("failed"), ["approval.rehearsed"]);
  assert.deepEqual(unmet({ days: 7, asked: 0, ends_calls: 0 }), []);
});
