import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../static/app/lib/format.js";
import { createText, loadText } from "../../static/app/lib/i18n.js";
import { persist, safeStorage } from "../../static/app/lib/storage.js";

const JA = { hello: "こんにちは", wait: "あと{minutes}分", files: { count: "{count}件" } };
const EN = {
  hello: "Hello",
  wait: "{minutes} min left",
  "files.count.one": "{count} file",
  "files.count.other": "{count} files",
};

/** A storage in memory. @param {Record<string, string>} [start] */
function memory(start = {}) {
  const kept = new Map(Object.entries(start));
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
    removeItem: (/** @type {string} */ key) => void kept.delete(key),
  };
}

test("Japanese comes first", () => {
  const text = createText(JA, EN, { storage: memory() });
  assert.equal(text.t("hello"), "こんにちは");
  assert.equal(text.t("files.count", { count: 2 }), "2件");
});

test("a chosen language is remembered", () => {
  const storage = memory();
  createText(JA, EN, { storage }).setLanguage("en");
  const text = createText(JA, EN, { storage });
  assert.equal(text.language.value, "en");
  assert.equal(text.t("wait", { minutes: 3 }), "3 min left");
});

test("English counts one and many", () => {
  const text = createText(JA, EN, { storage: memory(), language: "en" });
  assert.equal(text.t("files.count", { count: 1 }), "1 file");
  assert.equal(text.t("files.count", { count: 0 }), "0 files");
});

test("a missing key or value throws in tests", () => {
  const text = createText(JA, EN, { storage: memory() });
  assert.throws(() => text.t("nobody.wrote.this"), /no words/);
  assert.throws(() => text.t("wait"), /wants a value/);
  assert.equal(text.has("wait"), true);
  assert.equal(text.has("nobody.wrote.this"), false);
});

test("a missing key does not take a running page down", (context) => {
  context.mock.method(console, "error", () => {});
  const text = createText(JA, EN, { storage: memory(), strict: false });
  assert.equal(text.t("nobody.wrote.this"), "nobody.wrote.this");
  assert.equal(text.t("constructor"), "constructor");
});

test("a remembered language that we do not speak is ignored", () => {
  const storage = memory({ "madoguchi.language": "xx" });
  assert.equal(createText(JA, EN, { storage }).language.value, "ja");
});

test("both languages are fetched from the folder of texts", async () => {
  const fetcher = /** @type {any} */ (async (/** @type {string} */ url) => ({ json: async () => ({ url }) }));
  assert.deepEqual(await loadText("/text/", fetcher), {
    ja: { url: "/text/ja.json" },
    en: { url: "/text/en.json" },
  });
});

test("durations read well in both languages", () => {
  const cases = /** @type {[number, string, string][]} */ ([
    [0, "0秒", "0 s"],
    [5, "5秒", "5 s"],
    [60, "1分", "1 min"],
    [125, "2分5秒", "2 min 5 s"],
    [3600, "1時間", "1 h"],
    [3725, "1時間2分", "1 h 2 min"],
    [-3, "0秒", "0 s"],
  ]);
  for (const [seconds, ja, en] of cases) {
    assert.equal(format.duration(seconds, "ja"), ja);
    assert.equal(format.duration(seconds, "en"), en);
  }
});

test("a countdown never shows less than nothing and rounds up", () => {
  assert.deepEqual([65, 0.2, -4, 3600].map(format.countdown), ["1:05", "0:01", "0:00", "1:00:00"]);
});

test("a wait under a minute is said as one minute", () => {
  assert.equal(format.waitMinutes(10, "ja"), "約1分");
  assert.equal(format.waitMinutes(170, "en"), "about 3 min");
});

test("sizes are short", () => {
  assert.deepEqual(
    [0, 999, 1000, 81_234, 999_499, 999_500, 5_242_880, 52_428_800].map(format.bytes),
    ["0 B", "999 B", "1.0 KB", "81 KB", "999 KB", "1.0 MB", "5.2 MB", "52 MB"],
  );
});

test("times are those of Tokyo wherever the browser stands", () => {
  assert.equal(format.time("2026-11-22T15:05:09Z"), "00:05");
  assert.equal(format.date("2026-11-22T15:05:00Z", "ja"), "2026年11月23日(月)");
  assert.equal(format.date("2026-11-22T15:05:00Z", "en"), "Mon 23 November 2026");
  assert.equal(format.dateTime("2026-11-22T15:05:00Z", "ja"), "2026年11月23日(月) 00:05");
});

test("hashes are shortened for the eye and grouped for the voice", () => {
  const hex = "0123456789abcdef".repeat(4);
  assert.equal(format.shortHash(hex), "012345…cdef");
  assert.equal(format.shortHash("abc"), "abc");
  assert.equal(format.groupHash(hex), "01234567 89abcdef ".repeat(4).trim());
});

test("the browser is asked once to keep our data", async () => {
  let asked = 0;
  const manager = { persisted: async () => asked > 0, persist: async () => (asked += 1) > 0 };
  assert.deepEqual([await persist(manager), await persist(manager), asked], ["kept", "kept", 1]);
  assert.equal(await persist({ persist: async () => false }), "not_kept");
  assert.equal(await persist({}), "unknown");
  assert.equal(await persist({ persist: () => Promise.reject(new Error("no")) }), "unknown");
});

test("a storage that the browser refuses lives as long as the page", () => {
  const storage = safeStorage(() => {
    throw new Error("SecurityError");
  });
  storage.setItem("a", "1");
  assert.equal(storage.getItem("a"), "1");
  storage.removeItem("a");
  assert.equal(storage.getItem("a"), null);
});
