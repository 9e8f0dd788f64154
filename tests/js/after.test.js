import assert from "node:assert/strict";
import { test } from "node:test";
import { createAfter } from "../../static/app/lib/after.js";

const storage = () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
    removeItem: (/** @type {string} */ key) => void kept.delete(key),
  };
};

test("a path is taken once", () => {
  const own = storage();
  const after = createAfter(() => own);
  after.keep("/account?page=desk");
  assert.equal(after.waitsForHalf(), false);
  assert.equal(after.take(), "/account?page=desk");
  assert.equal(after.take(), null);
});

test("the link of a recovery waits for half a sign-in", () => {
  const own = storage();
  const after = createAfter(() => own);
  after.keep("/factor#abc_DEF-1");
  assert.equal(after.waitsForHalf(), true);
  assert.equal(after.take(), "/factor#abc_DEF-1");
});

test("what is no page of ours leads nowhere", () => {
  for (const path of ["//evil.example", "https://evil.example/account?page=desk", "/account?page=desk&x=1", "/factor#<", "/desk"]) {
    const own = storage();
    const after = createAfter(() => own);
    after.keep(path);
    assert.equal(after.take(), null, path);
  }
});
