import assert from "node:assert/strict";
import { test } from "node:test";
import { SILENT_MS } from "../../static/app/lib/connection.js";
import { loadPageId } from "../../static/app/lib/ids.js";
import { settle } from "./support/clock.js";
import { EPOCH, PAGE, line, openLine } from "./support/line.js";

/** @param {any[]} messages */
const seqs = (messages) => messages.filter((m) => m.seq !== undefined).map((m) => m.seq);

test("the first message is hello with no epoch and no number", async () => {
  const { server, connection } = await openLine();
  assert.deepEqual(server.socket.sent[0], {
    type: "hello",
    page: PAGE,
    epoch: null,
    seq: null,
    takeover: false,
  });
  assert.equal(connection.status.state, "open");
  connection.stop();
});

test("a ping is answered at once with the last number seen", async () => {
  const { server, connection } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.socket.say({ type: "ping", seq: 1 });
  assert.deepEqual(server.socket.sent.at(-1), { type: "pong", seq: 1 });
  connection.stop();
});

test("a lost socket comes back and gets exactly what it missed", async () => {
  const { server, connection, clock, messages, states } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.socket.end(1006);
  server.say({ type: "desk", state: "away" }, { lost: true });
  server.say({ type: "desk", state: "open" }, { lost: true });
  await clock.pass(250);
  assert.equal(server.socket.sent[0].epoch, EPOCH);
  assert.equal(server.socket.sent[0].seq, 1);
  assert.deepEqual(seqs(messages), [1, 2, 3]);
  assert.deepEqual(states, ["connecting", "open", "retrying", "retrying", "open"]);
  connection.stop();
});

test("a number that comes twice is heard once", async () => {
  const { server, connection, messages } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.socket.say(server.kept[0]);
  assert.deepEqual(seqs(messages), [1]);
  connection.stop();
});

test("a gap in the numbers makes the page ask for what is missing", async () => {
  const { server, connection, messages } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.say({ type: "desk", state: "away" }, { lost: true });
  server.say({ type: "desk", state: "open" });
  await settle();
  assert.equal(server.sockets.length, 2);
  assert.equal(server.socket.sent[0].seq, 1);
  assert.deepEqual(seqs(messages), [1, 2, 3]);
  connection.stop();
});

test("a ping with a number that was never seen is a gap too", async () => {
  const { server, connection, messages } = await openLine();
  server.say({ type: "desk", state: "away" }, { lost: true });
  server.socket.say({ type: "ping", seq: 1 });
  await settle();
  assert.deepEqual(seqs(messages), [1]);
  connection.stop();
});

test("a gap that asking does not mend makes the page ask for everything, and not in a hot loop", async () => {
  const { server, connection, clock } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.say({ type: "desk", state: "away" }, { lost: true });
  server.kept.splice(1, 1);
  server.say({ type: "desk", state: "open" });
  await settle();
  assert.equal(server.sockets.length, 2);
  await clock.pass(500);
  assert.equal(server.sockets.length, 3);
  assert.equal(server.socket.sent[0].seq, null);
  assert.equal(connection.status.state, "open");
  connection.stop();
});

test("another run of the server sends its whole state and counts from one again", async () => {
  const { server, connection, clock, messages } = await openLine();
  server.say({ type: "desk", state: "open" });
  server.say({ type: "desk", state: "away" });
  server.socket.end(1006);
  server.epoch = "f".repeat(22);
  await clock.pass(250);
  assert.equal(messages.at(-1).resumed, false);
  server.say({ type: "desk", state: "open" });
  assert.deepEqual(seqs(messages), [1, 2, 1]);
  connection.stop();
});

test("the waiting times grow to four seconds and start afresh after a steady line", async () => {
  const { server, connection, clock } = line();
  server.reachable = false;
  connection.start();
  const waits = [];
  for (let i = 0; i < 7; i += 1) {
    const before = server.sockets.length;
    const from = clock.now();
    server.socket.end(1006);
    while (server.sockets.length === before) await clock.pass(10);
    waits.push(clock.now() - from);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
  server.reachable = true;
  server.socket.onopen?.();
  for (let i = 0; i < 3; i += 1) {
    await clock.pass(5000);
    server.socket.say({ type: "ping", seq: 0 });
  }
  const before = server.sockets.length;
  server.socket.end(1006);
  await clock.pass(250);
  assert.equal(server.sockets.length, before + 1);
  connection.stop();
});

test("the browser's word that it is online ends the waiting at once", async () => {
  const { server, connection, clock, scope } = await openLine();
  for (let i = 0; i < 4; i += 1) {
    server.reachable = false;
    server.socket.end(1006);
    await clock.pass(2000);
  }
  server.socket.end(1006);
  const before = server.sockets.length;
  server.reachable = true;
  scope.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(server.sockets.length, before + 1);
  assert.equal(connection.status.state, "open");
  connection.stop();
});

test("a socket from before the network break is not trusted", async () => {
  const { server, connection, scope } = await openLine();
  scope.dispatchEvent(new Event("offline"));
  scope.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(server.sockets.length, 2);
  assert.ok(server.sockets[0].closedByPage);
  connection.stop();
});

test("a socket that has said nothing for twelve seconds is closed and opened again", async () => {
  const { server, connection, clock } = await openLine();
  await clock.pass(SILENT_MS - 100);
  assert.equal(server.sockets.length, 1);
  await clock.pass(2000);
  assert.equal(server.sockets.length, 2);
  assert.ok(server.sockets[0].closedByPage);
  connection.stop();
});

test("a handshake that hangs is given up", async () => {
  const { server, connection, clock } = line();
  server.reachable = false;
  connection.start();
  await clock.pass(8000);
  assert.equal(server.sockets.length, 2);
  connection.stop();
});

test("sleeping timers do not hide a dead socket once the page is looked at", async () => {
  const visibility = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const { server, connection, clock } = await openLine({ visibility });
  clock.at += 60_000;
  visibility.dispatchEvent(new Event("visibilitychange"));
  await clock.pass(250);
  assert.equal(server.sockets.length, 2);
  assert.equal(connection.status.state, "open");
  connection.stop();
});

for (const [name, code] of Object.entries({
  seat_taken: 4001,
  taken_over: 4002,
  replaced: 4003,
  signed_out: 4004,
  not_allowed: 1008,
  corrupt: 1011,
})) {
  test(`close code ${code} (${name}) stops the page for good`, async () => {
    const { server, connection, clock } = await openLine();
    server.socket.end(code);
    await clock.pass(60_000);
    assert.equal(server.sockets.length, 1);
    assert.equal(connection.status.state, "stopped");
    assert.equal(connection.status.closeCode, code);
  });
}

test("a page that finds the seat taken may take it over", async () => {
  const { server, connection, states } = line();
  server.admit = (socket, hello) => {
    if (hello.takeover) return true;
    socket.say({ type: "error", error: { code: "seat_taken", message: "", reasons: [] } });
    socket.end(4001);
    return false;
  };
  connection.start();
  await settle();
  assert.deepEqual(
    [connection.status.state, connection.status.closeCode, connection.status.code],
    ["stopped", 4001, "seat_taken"],
  );
  connection.takeOver();
  await settle();
  assert.equal(states.at(-1), "open");
  server.socket.end(4002);
  connection.start();
  await settle();
  assert.equal(server.socket.sent[0].takeover, false);
  connection.stop();
});

test("the reason why a sign-in ended is kept beside the close code", async () => {
  const { server, connection } = await openLine();
  server.say({ type: "ended", code: "tablet_revoked" });
  server.socket.end(4004);
  assert.equal(connection.status.code, "tablet_revoked");
});

test("a page that keeps breaking the protocol gives up after three tries", async () => {
  const { server, connection, clock } = await openLine();
  server.socket.end(1002);
  await clock.pass(250);
  assert.equal(server.socket.sent[0].seq, null);
  server.socket.end(1002);
  await clock.pass(500);
  server.socket.end(1002);
  assert.equal(connection.status.state, "stopped");
});

test("a handshake refused twice makes the page ask whether it is still signed in", async () => {
  const { server, connection, clock } = line({ stillSignedIn: async () => false });
  server.reachable = false;
  connection.start();
  server.socket.end(1006);
  await clock.pass(250);
  server.socket.end(1006);
  await settle();
  assert.equal(connection.status.state, "stopped");
  assert.equal(connection.status.closeCode, 4004);
  assert.equal(connection.status.code, "signed_out");
});

test("a server that cannot be asked has not signed anybody out", async () => {
  const { server, connection, clock } = line({
    stillSignedIn: () => Promise.reject(new Error("no network")),
  });
  server.reachable = false;
  connection.start();
  server.socket.end(1006);
  await clock.pass(250);
  server.socket.end(1006);
  await settle();
  assert.equal(connection.status.state, "retrying");
  connection.stop();
});

test("an answer settles the promise of what it answers", async () => {
  const { server, connection } = await openLine();
  server.reply = () => ({ call: { id: "c" } });
  assert.equal((await connection.send("call.accept", { call: null })).call.id, "c");
  connection.stop();
});

test("a refusal rejects with code and reasons", async () => {
  const { server, connection } = await openLine();
  server.reply = () => null;
  const sent = connection.send("call.decide", {});
  const reasons = [{ code: "x", message: "y", clause: "z" }];
  const error = { code: "counter_cannot_decide", message: "no", reasons };
  server.say({ type: "error", re: server.commands[0].id, error });
  await assert.rejects(sent, { name: "ServerError", code: "counter_cannot_decide", reasons });
  connection.stop();
});

test("what cannot be said twice is rejected when the line goes", async () => {
  const { server, connection } = await openLine();
  server.reply = () => null;
  const sent = connection.send("call.close", { outcome: "verified", reason: null });
  server.socket.end(1006);
  await assert.rejects(sent, { code: "connection_lost" });
  await assert.rejects(connection.send("call.decide", {}), { code: "connection_lost" });
  connection.stop();
});

test("a chat message that was not acknowledged is sent again with the same id", async () => {
  const { server, connection, clock } = await openLine();
  server.reply = () => null;
  const sent = connection.send("chat.send", { text: "はい" }, { id: "m1" });
  await settle();
  server.socket.end(1006);
  server.reply = () => ({ number: 1, at: "2026-11-23T01:00:00Z" });
  await clock.pass(250);
  assert.deepEqual(
    server.commands.map((m) => [m.type, m.id, m.text]),
    [
      ["chat.send", "m1", "はい"],
      ["chat.send", "m1", "はい"],
    ],
  );
  assert.equal((await sent).number, 1);
  connection.stop();
});

test("an acknowledgement that arrives by replay is heard, and its second copy is ignored", async () => {
  const { server, connection, clock } = await openLine();
  server.reply = () => null;
  const sent = connection.send("chat.send", { text: "はい" }, { id: "m1" });
  await settle();
  server.say({ type: "ok", re: "m1", number: 1, at: "2026-11-23T01:00:00Z" }, { lost: true });
  server.socket.end(1006);
  server.reply = () => ({ number: 1, at: "2026-11-23T01:00:00Z" });
  await clock.pass(250);
  assert.equal((await sent).number, 1);
  assert.equal(connection.status.state, "open");
  connection.stop();
});

test("chat written while the line is away goes out in order when it is back", async () => {
  const { server, connection, clock } = await openLine();
  server.reachable = false;
  server.socket.end(1006);
  const both = [
    connection.send("chat.send", { text: "一" }, { id: "a" }),
    connection.send("chat.send", { text: "二" }, { id: "b" }),
  ];
  server.reachable = true;
  await clock.pass(250);
  await Promise.all(both);
  assert.deepEqual(
    server.commands.map((m) => m.id),
    ["a", "b"],
  );
  connection.stop();
});

test("what is sent in the moment of return goes out once, after what waited", async () => {
  const { server, connection, clock } = await openLine();
  server.socket.end(1006);
  const waited = connection.send("chat.send", { text: "一" }, { id: "a" });
  connection.on("state", ({ state }) => {
    if (state === "open") void connection.send("desk.state", { state: "open" }, { id: "b" });
  });
  await clock.pass(250);
  await waited;
  assert.deepEqual(
    server.commands.map((m) => m.id),
    ["a", "b"],
  );
  connection.stop();
});

test("an answer that never comes on a living line is a timeout", async () => {
  const { server, connection, clock } = await openLine();
  server.reply = () => null;
  const sent = connection.send("call.decide", {});
  const rejected = assert.rejects(sent, { code: "timeout" });
  for (let i = 0; i < 4; i += 1) {
    await clock.pass(5000);
    server.socket.say({ type: "ping", seq: 0 });
  }
  await rejected;
  connection.stop();
});

test("a page that stops closes its socket and comes back where it was", async () => {
  const { server, connection, messages } = await openLine();
  server.say({ type: "desk", state: "open" });
  connection.stop();
  assert.ok(server.sockets[0].closedByPage);
  assert.equal(connection.status.state, "stopped");
  server.say({ type: "desk", state: "away" }, { lost: true });
  connection.start();
  await settle();
  assert.deepEqual(seqs(messages), [1, 2]);
  connection.stop();
});

test("a frame that is no message makes the socket anew", async () => {
  const { server, connection } = await openLine();
  server.socket.onmessage?.({ data: "{not json" });
  await settle();
  assert.equal(server.sockets.length, 2);
  connection.stop();
});

test("a page id survives a reload, and a storage that refuses does not stop the page", () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  };
  const id = loadPageId(storage);
  assert.match(id, /^[A-Za-z0-9_-]{22}$/);
  assert.equal(loadPageId(storage), id);
  const refusing = {
    getItem: () => {
      throw new Error("SecurityError");
    },
    setItem: () => {},
  };
  assert.match(loadPageId(refusing), /^[A-Za-z0-9_-]{22}$/);
});
