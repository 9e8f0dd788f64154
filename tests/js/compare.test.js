/** Comparing at the desk: which stills stand beside the live picture. */
import assert from "node:assert/strict";
import test from "node:test";
import { shownOf, takenOf, toggled, withTile } from "../../static/app/lib/compare.js";

const tile = (/** @type {string} */ key, /** @type {string} */ state = "taken") => /** @type {any} */ ({ key, state, file: state === "taken" ? { id: key } : null });
const keysOf = (/** @type {readonly {key: string}[]} */ tiles) => tiles.map(({ key }) => key);

test("only stills that have come can be compared", () => {
  const tiles = [tile("face"), tile("front", "arriving"), tile("back", "wanted"), { ...tile("lost"), file: null }];
  assert.deepEqual(keysOf(takenOf(tiles)), ["face"]);
});

test("comparing begins with the newest still and ends by the same key", () => {
  const tiles = [tile("face"), tile("front")];
  const begun = toggled([], tiles);
  assert.deepEqual(begun, ["front"]);
  assert.deepEqual(toggled(begun, tiles), []);
  assert.deepEqual(toggled([], []), []);
});

test("at most two stills stand beside the live picture, and a press takes one away again", () => {
  assert.deepEqual(withTile(["front"], "face"), ["front", "face"]);
  assert.deepEqual(withTile(["front", "face"], "back"), ["face", "back"]);
  assert.deepEqual(withTile(["front", "face"], "front"), ["face"]);
});

test("a still that was put aside meanwhile is not compared any more", () => {
  assert.deepEqual(keysOf(shownOf(["front", "face"], [tile("face")])), ["face"]);
  assert.deepEqual(toggled(["front"], [tile("face")]), ["face"]);
});
