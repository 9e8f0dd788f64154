import assert from "node:assert/strict";
import { test } from "node:test";
import { homeOf } from "../../static/app/lib/home.js";

test("each role begins at its own page", () => {
  const pages = ["administrator", "officer", "auditor", "verifier", "senior", "interpreter", undefined].map(homeOf);
  assert.deepEqual(pages, ["/administration", "/officer", "/officer", "/desk", "/desk", "/desk", "/desk"]);
});
