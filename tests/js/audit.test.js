import assert from "node:assert/strict";
import test from "node:test";
import { fieldsOf, olderThan, queryOf } from "../../static/app/lib/audit.js";

const SINCE = "2026-11-23T04:05:06.000Z";
const LINK = `refused=1&setting=network.outside_vpn&from=${encodeURIComponent(SINCE)}`;

test("a form that is left alone asks for what its link asked for, to the second", () => {
  const fields = fieldsOf(LINK);
  assert.match(fields.from, /^2026-11-2[34]$/);
  assert.equal(fields.refused, true);
  const asked = new URLSearchParams(queryOf(fields, LINK));
  assert.equal(asked.get("from"), SINCE);
  assert.equal(asked.get("setting"), "network.outside_vpn");
  assert.equal(asked.get("refused"), "1");
});

test("a day that is changed is asked for from its beginning to its end, an emptied one not", () => {
  const asked = new URLSearchParams(queryOf({ ...fieldsOf(LINK), from: "2026-11-01", to: "2026-11-02" }, LINK));
  assert.equal(asked.get("from"), new Date("2026-11-01T00:00").toISOString());
  assert.equal(asked.get("to"), new Date("2026-11-02T23:59:59").toISOString());
  assert.equal(new URLSearchParams(queryOf({ ...fieldsOf(LINK), from: "" }, LINK)).has("from"), false);
});

test("older entries are those of the same search", () => {
  const query = queryOf({ ...fieldsOf(""), person: "p1", action: " call.place " }, "before=90");
  assert.equal(query, "action=call.place&person=p1");
  assert.equal(olderThan(query, 40), "action=call.place&person=p1&before=40");
  assert.equal(olderThan(olderThan(query, 40), 20), "action=call.place&person=p1&before=20");
});

test("a time that is none stands in no field", () => {
  assert.equal(fieldsOf("from=yesterday&to=").from, "");
  assert.equal(fieldsOf("from=yesterday&to=").to, "");
});
