import assert from "node:assert/strict";
import { test } from "node:test";
import { createChat } from "../../static/app/lib/chat.js";
import { ServerError } from "../../static/app/lib/errors.js";
import { EMPTY, createStore, reduce } from "../../static/app/lib/store.js";
import { settle } from "./support/clock.js";
import { DESK, EPOCH, LIMITS, NOTHING, openLine } from "./support/line.js";
import { call, chat, file, guest } from "./support/nouns.js";

const NOW = Date.UTC(2026, 10, 23, 1, 0, 0);

/** @param {any} [fields] @returns {any} */
const welcome = (fields = {}) => ({
  type: "welcome",
  epoch: EPOCH,
  resumed: false,
  server_time: "2026-11-23T01:00:02.500Z",
  you: DESK,
  limits: LIMITS,
  state: NOTHING,
  ...fields,
});

/** @param {any[]} messages @param {any} [from] */
const after = (messages, from = EMPTY) =>
  messages.reduce((state, message) => reduce(state, message, NOW), from);

test("a welcome with state replaces everything that was known", () => {
  const before = after([{ type: "call", call: call() }, { type: "chat", message: chat(1) }]);
  const told = { ...NOTHING, call: call({ id: "other" }), chat: [chat(2), chat(1)], files: [file("f")] };
  const state = after([welcome({ state: told })], before);
  assert.equal(state.call.id, "other");
  assert.deepEqual(state.chat.map((/** @type {any} */ m) => m.number), [1, 2]);
  assert.deepEqual(Object.keys(state.files), ["f"]);
  assert.equal(state.deskState, "open");
  assert.equal(state.serverOffset, 2500);
});

test("a welcome that resumes keeps what was known", () => {
  const before = after([welcome(), { type: "call", call: call() }, { type: "chat", message: chat(1) }]);
  const state = after([welcome({ resumed: true, state: null })], before);
  assert.equal(state.call.id, "call-1");
  assert.equal(state.chat.length, 1);
});

test("the state before is never changed", () => {
  const before = Object.freeze(after([welcome()]));
  Object.freeze(before.chat);
  Object.freeze(before.files);
  after([{ type: "chat", message: chat(1) }, { type: "file", file: file("f") }], before);
  assert.equal(before.chat.length, 0);
});

test("an older version of a call does not undo a newer one", () => {
  const state = after([
    { type: "call", call: call({ version: 5, veiled: true }) },
    { type: "ok", re: "x", call: call({ version: 4 }) },
  ]);
  assert.equal(state.call.version, 5);
  assert.equal(state.call.veiled, true);
});

test("a new call starts with an empty chat and no files", () => {
  const state = after([
    { type: "call", call: call({ state: "closed" }) },
    { type: "chat", message: chat(1) },
    { type: "file", file: file("f") },
    { type: "call", call: call({ id: "call-2", state: "waiting", version: 1 }) },
  ]);
  assert.equal(state.call.id, "call-2");
  assert.deepEqual([state.chat, state.files], [[], {}]);
});

test("a call that is answered brings along what was said before it went back to the queue", () => {
  const read = { counter: 1, desk: 2 };
  const ok = { type: "ok", re: "x", call: call(), chat: [chat(2), chat(1)], read, files: [file("f"), file("g")] };
  const state = after([{ type: "call", call: call() }, { type: "file", file: file("f", { state: "offered" }) }, ok]);
  assert.deepEqual(state.chat.map((/** @type {any} */ m) => m.number), [1, 2]);
  assert.deepEqual(state.read, read);
  assert.deepEqual([state.files.f.state, state.files.g.state], ["offered", "arriving"]);
});

test("a call that goes back to the queue is no longer the desk's", () => {
  const desk = after([welcome(), { type: "call", call: call() }, { type: "chat", message: chat(1) }]);
  const back = after([{ type: "call", call: call({ state: "waiting", version: 4 }) }], desk);
  assert.deepEqual([back.call, back.chat], [null, []]);
  const other = after([{ type: "call", call: call({ id: "call-2", state: "ringing" }) }], desk);
  assert.equal(other.call.id, "call-1");
  const told = { ...NOTHING, call: call({ state: "ringing", version: 4 }) };
  assert.equal(after([welcome({ state: told })], desk).call, null);
});

test("the end of another call does not push aside the one that goes on", () => {
  const state = after([
    { type: "call", call: call() },
    { type: "call", call: call({ id: "call-0", state: "closed" }) },
  ]);
  assert.equal(state.call.id, "call-1");
});

test("chat is in the order of its numbers, each once, whatever the order of arrival", () => {
  const order = [3, 1, 2, 1, 3];
  const state = after(order.map((n) => ({ type: "chat", message: chat(n) })));
  assert.deepEqual(state.chat.map((/** @type {any} */ m) => m.number), [1, 2, 3]);
});

test("what was read only grows", () => {
  const state = after([
    { type: "chat.read", party: "desk", number: 4 },
    { type: "chat.read", party: "desk", number: 2 },
  ]);
  assert.deepEqual(state.read, { counter: 0, desk: 4 });
});

test("a place in the queue is forgotten once somebody answers", () => {
  const position = { ahead: 1, wait_seconds: 60, desks_open: 1, offered_to: null, busy: false, closed_notice: null };
  const state = after([
    { type: "call", call: call({ state: "waiting", version: 1 }) },
    { type: "position", position },
    { type: "call", call: call({ state: "talking", version: 2 }) },
  ]);
  assert.equal(state.position, null);
});

test("a result stays until it is dismissed, also over a return", () => {
  const store = createStore({ now: () => NOW });
  store.apply(/** @type {any} */ ({ type: "call", call: call({ state: "closed", outcome: "verified" }) }));
  store.apply(welcome());
  assert.equal(store.call.value?.outcome, "verified");
  store.dismissCall();
  assert.equal(store.call.value, null);
});

test("a message that means nothing here changes nothing", () => {
  assert.equal(reduce(EMPTY, /** @type {any} */ ({ type: "answer", sdp: "" }), NOW), EMPTY);
});

test("components are told once per message and the server's clock is known", () => {
  const store = createStore({ now: () => NOW });
  let drawn = 0;
  store.chat.subscribe(() => (drawn += 1));
  store.apply(welcome());
  assert.equal(store.serverNow(), NOW + 2500);
  const before = drawn;
  store.apply(/** @type {any} */ ({ type: "desk", state: "away" }));
  assert.equal(drawn, before);
  assert.equal(store.deskState.value, "away");
});

test("unread counts what others wrote after the last number read", () => {
  const store = createStore({ now: () => NOW });
  store.apply(welcome());
  for (const n of [1, 2, 3]) {
    store.apply(/** @type {any} */ ({ type: "chat", message: chat(n, { from: n === 2 ? "desk" : "counter" }) }));
  }
  assert.equal(store.unread.value, 2);
  store.apply(/** @type {any} */ ({ type: "chat.read", party: "desk", number: 1 }));
  assert.equal(store.unread.value, 1);
});

/** A desk in a call, with chat. */
async function desk() {
  const world = await openLine();
  const store = createStore({ now: world.clock.now });
  store.follow(world.connection);
  store.apply(welcome());
  store.apply(/** @type {any} */ ({ type: "call", call: call() }));
  let made = 0;
  const writer = createChat({ connection: world.connection, store, makeId: () => `d${++made}` });
  return { ...world, store, chat: writer };
}

test("a draft is shown at once and gives way to the stored message", async () => {
  const { server, store, chat: writer, connection } = await desk();
  assert.ok(writer.send("  はい \n"));
  assert.deepEqual(store.pending.value, [{ id: "d1", text: "はい", state: "sending", code: null }]);
  await settle();
  server.say({ type: "chat", message: chat(1, { id: "d1", from: "desk", text: "はい" }) });
  assert.deepEqual(store.pending.value, []);
  assert.equal(store.chat.value[0].text, "はい");
  connection.stop();
});

test("a draft survives the loss of the line and is stored once", async () => {
  const { server, store, chat: writer, connection, clock } = await desk();
  server.reply = () => null;
  writer.send("はい");
  await settle();
  server.say({ type: "chat", message: chat(1, { id: "d1", from: "desk" }) }, { lost: true });
  server.socket.end(1006);
  assert.equal(store.connection.value.state, "retrying");
  server.reply = () => ({ number: 1, at: "2026-11-23T01:00:00Z" });
  await clock.pass(250);
  assert.deepEqual(store.pending.value, []);
  assert.equal(store.chat.value.length, 1);
  connection.stop();
});

test("a refused draft stays, says why, and may be tried again or thrown away", async () => {
  const world = await desk();
  const { server, store, chat: writer, connection } = world;
  server.reply = () => null;
  writer.send("はい");
  await settle();
  const error = { code: "wrong_state", message: "", reasons: [] };
  server.say({ type: "error", re: "d1", error });
  await settle();
  assert.deepEqual(store.pending.value[0], { id: "d1", text: "はい", state: "failed", code: "wrong_state" });
  writer.retry("d1");
  assert.equal(store.pending.value[0].state, "sending");
  await settle();
  assert.deepEqual(server.commands.map((m) => m.id), ["d1", "d1"]);
  writer.discard("d1");
  assert.deepEqual(store.pending.value, []);
  connection.stop();
});

test("nothing but blanks is not sent", async () => {
  const { chat: writer, server, connection } = await desk();
  assert.equal(writer.send(" \n "), false);
  await settle();
  assert.equal(server.commands.length, 0);
  connection.stop();
});

test("the other side is told once how far this page has read, in every call anew", async () => {
  const { server, store, chat: writer, connection } = await desk();
  server.say({ type: "chat", message: chat(1) });
  writer.read();
  writer.read();
  await settle();
  assert.deepEqual(server.commands.map((m) => [m.type, m.number]), [["chat.read", 1]]);
  server.say({ type: "call", call: call({ id: "call-2", version: 1, placed_at: "2026-11-23T02:00:00Z" }) });
  server.say({ type: "chat", message: chat(1) });
  writer.read();
  await settle();
  assert.equal(server.commands.length, 2);
  assert.equal(store.chat.value.length, 1);
  connection.stop();
});

test("how far this page has read is told again when it could not be told", async () => {
  const { server, chat: writer, connection, clock } = await desk();
  server.reply = () => null;
  server.say({ type: "chat", message: chat(1) });
  writer.read();
  await settle();
  server.socket.end(1006);
  await settle();
  server.reply = () => ({});
  await clock.pass(300);
  assert.equal(connection.status.state, "open");
  writer.read();
  await settle();
  assert.deepEqual(server.commands.map((m) => [m.type, m.number]), [["chat.read", 1], ["chat.read", 1]]);
  connection.stop();
});

test("an error keeps what the server said and falls back when it said nothing", () => {
  const said = ServerError.from({ error: { code: "denied", message: "m", reasons: [], request_id: "r" } }, "internal", 403);
  assert.deepEqual([said.code, said.status, said.requestId], ["denied", 403, "r"]);
  assert.equal(ServerError.from(null, "internal").code, "internal");
});

test("who has left a call as a third party has no call any more; others go on", () => {
  const you = { page: "desk", municipality: { id: "m", name: "架空市" }, person: { id: "g", name: "", role: "senior" }, desk_state: "open" };
  const before = { ...EMPTY, you: /** @type {any} */ (you), call: call({ guests: [guest()] }) };
  const gone = { type: /** @type {const} */ ("call"), seq: 1, call: call({ version: 4 }) };
  assert.equal(reduce(before, gone, 0).call, null);
  const other = { ...before, you: /** @type {any} */ ({ ...you, person: { ...you.person, id: "s" } }) };
  assert.equal(reduce(other, gone, 0).call?.version, 4);
});
