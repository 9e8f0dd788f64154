import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaSession } from "../../static/app/lib/media.js";
import { Clock, settle } from "./support/clock.js";
import { Devices, Stream } from "./support/devices.js";
import { openLine } from "./support/line.js";
import { FakePeerConnection } from "./support/rtc.js";

/** A page in a call whose server answers every offer. */
async function world() {
  const { server, connection, clock, scope } = await openLine();
  FakePeerConnection.made = [];
  const devices = new Devices();
  const network = new EventTarget();
  const visibility = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const media = new MediaSession({
    connection,
    RTCPeerConnectionClass: /** @type {any} */ (FakePeerConnection),
    MediaStreamClass: /** @type {any} */ (Stream),
    mediaDevices: /** @type {any} */ (devices),
    now: clock.now,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
    scope,
    visibility,
    network,
  });
  const epoch = { now: "one" };
  server.reply = (message) => (message.type === "offer" ? null : {});
  const answer = (/** @type {any} */ message) =>
    server.say({
      type: "answer",
      re: message.id,
      connection: message.connection,
      sdp: "answer",
      media_epoch: epoch.now,
    });
  server.reply = (message) => {
    if (message.type !== "offer") return {};
    answer(message);
    return null;
  };
  /** Let time pass with the server's pings, and media on the newest connection if it flows. @param {number} ms */
  const pass = async (ms, { flowing = true, pings = true } = {}) => {
    for (const end = clock.now() + ms; clock.now() < end; ) {
      if (flowing) pcs().at(-1).packets += 5;
      if (pings) server.socket.say({ type: "ping", seq: server.seq });
      await clock.pass(100);
    }
  };
  const pcs = () => /** @type {any[]} */ (FakePeerConnection.made);
  const offers = () => server.commands.filter((m) => m.type === "offer");
  const reports = () =>
    server.commands
      .filter((m) => m.type === "call.devices")
      .map((m) => `${m.camera} ${m.microphone}`);
  const end = () => {
    media.close();
    media.release();
    connection.stop();
  };
  return { server, connection, clock, scope, devices, network, visibility, media, epoch, pass, pcs, offers, reports, end };
}

/** A page whose media flows. */
async function flowing() {
  const w = await world();
  await w.media.acquire();
  w.media.open();
  await w.pass(2000);
  assert.equal(w.media.state.value, "flowing");
  return w;
}

test("the first offer goes out at once with sound and picture and no candidates awaited", async () => {
  const w = await world();
  await w.media.acquire();
  w.media.open();
  assert.equal(w.media.state.value, "connecting");
  await settle();
  assert.deepEqual(w.offers().map((m) => [m.connection, m.sdp]), [[1, "offer 1"]]);
  const [audio, video] = w.pcs()[0].transceivers;
  assert.deepEqual([audio.init.direction, video.init.direction], ["sendrecv", "sendrecv"]);
  assert.equal(video.init.sendEncodings[0].maxBitrate, 2_500_000);
  assert.equal(video.sender.parameters.degradationPreference, "maintain-resolution");
  assert.equal(audio.sender.track.contentHint, "speech");
  assert.equal(video.sender.track.contentHint, "detail");
  assert.equal(w.pcs()[0].remoteDescription.sdp, "answer");
  assert.deepEqual(w.media.remote.value?.getTracks().map((t) => t.kind), ["audio", "video"]);
  w.end();
});

test("720p at thirty and an echo-free microphone are asked for", async () => {
  const w = await world();
  await w.media.acquire({ facing: "environment" });
  const [{ audio, video }] = w.devices.asked;
  assert.deepEqual([video.width, video.height], [{ ideal: 1280 }, { ideal: 720 }]);
  assert.equal(video.frameRate.ideal, 30);
  assert.deepEqual(video.facingMode, { ideal: "environment" });
  assert.equal(audio.echoCancellation, true);
  w.end();
});

test("opening twice is opening once", async () => {
  const w = await flowing();
  w.media.open();
  await settle();
  assert.equal(w.pcs().length, 1);
  w.end();
});

test("media that stands still gets an ICE restart on the same connection", async () => {
  const w = await flowing();
  await w.pass(2200, { flowing: false });
  assert.equal(w.media.state.value, "stalled");
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  assert.deepEqual(w.offers().map((m) => m.connection), [1, 1]);
  await w.pass(1000);
  assert.equal(w.media.state.value, "flowing");
  w.end();
});

test("when a restart does not help the connection is replaced and counted on", async () => {
  const w = await flowing();
  const before = w.media.remote.value;
  await w.pass(5500, { flowing: false });
  assert.equal(w.pcs().length, 2);
  assert.ok(w.pcs()[0].closed);
  assert.equal(w.offers().at(-1).connection, 2);
  assert.notEqual(w.media.remote.value, before);
  assert.equal(w.media.state.value, "stalled");
  await w.pass(1000);
  assert.equal(w.media.state.value, "flowing");
  w.end();
});

test("a change of the network restarts within a second", async () => {
  const w = await flowing();
  await w.pass(500, { flowing: false });
  w.network.dispatchEvent(new Event("change"));
  await w.pass(700, { flowing: false });
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  w.end();
});

test("while the socket is away nothing is offered; when it is back, at once", async () => {
  const w = await flowing();
  w.server.reachable = false;
  w.server.socket.end(1006);
  await w.pass(5000, { flowing: false, pings: false });
  assert.equal(w.offers().length, 1);
  w.server.reachable = true;
  w.scope.dispatchEvent(new Event("online"));
  await w.pass(500, { flowing: false });
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  w.end();
});

test("a page that is loaded anew in a call makes one offer", async () => {
  const w = await world();
  w.server.socket.end(1006);
  w.connection.on("message", (message) => message.type === "welcome" && w.media.open());
  await w.clock.pass(300);
  assert.equal(w.connection.status.state, "open");
  await w.pass(1000);
  assert.deepEqual(w.pcs().map((pc) => pc.offers), [[false]]);
  assert.equal(w.media.state.value, "flowing");
  w.end();
});

test("an offer that was lost with the socket is made again", async () => {
  const w = await world();
  const reply = w.server.reply;
  w.server.reply = () => null;
  w.media.open();
  await settle();
  w.server.socket.end(1006);
  await settle();
  assert.equal(w.media.fault.value, "connection_lost");
  w.server.reply = reply;
  await w.clock.pass(300);
  await w.pass(1000);
  assert.equal(w.media.fault.value, null);
  assert.equal(w.media.state.value, "flowing");
  assert.equal(w.pcs().length, 1);
  w.end();
});

test("please-offer is obeyed", async () => {
  const w = await flowing();
  w.server.say({ type: "please-offer", reason: "restart_ice" });
  await settle();
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  w.server.say({ type: "please-offer", reason: "new_connection" });
  await settle();
  assert.equal(w.offers().at(-1).connection, 2);
  w.end();
});

test("a warm connection opens no camera, sends nothing, shows nothing and says nothing", async () => {
  const w = await world();
  w.media.warm();
  await w.pass(3000);
  assert.equal(w.devices.asked.length, 0);
  assert.equal(w.offers().length, 1);
  assert.deepEqual(w.pcs()[0].transceivers.map((/** @type {any} */ t) => [t.init.direction, t.sender.track]), [["sendrecv", null], ["sendrecv", null]]);
  assert.equal(w.media.remote.value, null);
  assert.equal(w.media.state.value, "off");
  assert.deepEqual(w.reports(), []);
  w.end();
});

test("a preview of before the answer is put on the warm connection with the call and taken off with its end", async () => {
  const w = await world();
  await w.media.acquire();
  w.media.warm("one");
  await w.pass(1000);
  const senders = w.pcs()[0].transceivers.map((/** @type {any} */ t) => t.sender);
  assert.deepEqual(senders.map((/** @type {any} */ s) => s.track), [null, null]);
  await w.media.switchCamera("environment");
  assert.equal(senders[1].track, null);
  w.media.open("one");
  await settle();
  assert.deepEqual(senders.map((/** @type {any} */ s) => s.track), w.media.local.value?.getTracks());
  assert.equal(w.media.state.value, "flowing");
  assert.deepEqual(w.media.remote.value?.getTracks().map((t) => t.kind), ["audio", "video"]);
  assert.deepEqual(w.reports(), ["on on"]);
  w.media.warm("one");
  await settle();
  assert.deepEqual(senders.map((/** @type {any} */ s) => s.track), [null, null]);
  assert.equal(w.media.remote.value, null);
  assert.equal(w.pcs().length, 1);
  w.end();
});

test("no connection serves two calls, and one that waited serves the first", async () => {
  const w = await world();
  w.media.warm();
  await w.pass(1000);
  w.media.open("one");
  await w.pass(500);
  assert.equal(w.pcs().length, 1);
  w.media.warm();
  await w.pass(500);
  assert.equal(w.pcs().length, 2);
  assert.ok(w.pcs()[0].closed);
  w.media.open("two");
  w.media.open("three");
  await w.pass(500);
  assert.equal(w.pcs().length, 3);
  w.end();
});

test("a warm connection is not disturbed by the quiet of its lobby, and is mended when it is lost", async () => {
  const w = await world();
  w.media.warm();
  for (let i = 0; i < 10; i += 1) {
    await w.pass(100);
    await w.pass(3900, { flowing: false });
  }
  assert.equal(w.offers().length, 1);
  await w.pass(4000, { flowing: false });
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  await w.pass(4000, { flowing: false });
  assert.equal(w.pcs().length, 2);
  w.end();
});

test("a call that takes a warm connection does not count its quiet against it", async () => {
  const w = await world();
  w.media.warm();
  await w.pass(1000);
  await w.pass(3000, { flowing: false });
  w.media.open("one");
  await w.pass(1000, { flowing: false });
  assert.equal(w.media.state.value, "flowing");
  assert.equal(w.offers().length, 1);
  await w.pass(1000, { flowing: false });
  assert.deepEqual(w.pcs()[0].offers, [false, true]);
  w.end();
});

test("when streams change the same connection offers again, without looking for another path", async () => {
  const w = await flowing();
  w.server.say({ type: "please-offer", reason: "streams" });
  await settle();
  assert.deepEqual(w.pcs()[0].offers, [false, false]);
  assert.equal(w.pcs().length, 1);
  w.epoch.now = "two";
  w.server.say({ type: "please-offer", reason: "streams" });
  await w.pass(100);
  assert.equal(w.pcs().length, 2);
  w.end();
});

test("another run of the media server makes the page start a new connection", async () => {
  const w = await flowing();
  w.epoch.now = "two";
  await w.media.restartIce();
  await settle();
  assert.equal(w.pcs().length, 2);
  assert.equal(w.offers().at(-1).connection, 2);
  w.end();
});

test("an answer to a connection that was replaced meanwhile is ignored", async () => {
  const w = await world();
  const reply = w.server.reply;
  /** @type {any[]} */
  const held = [];
  w.server.reply = (message) => (message.type === "offer" ? (held.push(message), null) : {});
  w.media.open();
  await settle();
  w.server.say({ type: "please-offer", reason: "new_connection" });
  await settle();
  w.server.reply = reply;
  for (const message of held) reply(message);
  await settle();
  assert.equal(w.pcs()[0].remoteDescription, null);
  assert.equal(w.pcs()[1].remoteDescription.sdp, "answer");
  w.end();
});

test("a refused offer says why and the page tries again later", async () => {
  const w = await world();
  const reply = w.server.reply;
  w.server.reply = (message) => {
    if (message.type !== "offer") return {};
    const error = { code: "bad_sdp", message: "", reasons: [] };
    w.server.say({ type: "error", re: message.id, error });
    return null;
  };
  w.media.open();
  await settle();
  assert.equal(w.media.fault.value, "bad_sdp");
  w.server.reply = reply;
  await w.pass(6500, { flowing: false });
  await w.pass(1000);
  assert.equal(w.media.state.value, "flowing");
  w.end();
});

test("the server is told of camera and microphone, at every change and after a return", async () => {
  const w = await flowing();
  w.media.setMicrophone(false);
  await settle();
  assert.deepEqual(w.reports(), ["on on", "on off"]);
  w.server.socket.end(1006);
  await w.clock.pass(300);
  assert.deepEqual(w.reports(), ["on on", "on off", "on off"]);
  w.end();
});

test("a closed session is off, and opens again with the next number", async () => {
  const w = await flowing();
  w.media.close();
  assert.equal(w.media.state.value, "off");
  assert.equal(w.media.remote.value, null);
  assert.ok(w.media.local.value);
  await w.clock.pass(10_000);
  assert.equal(w.offers().length, 1);
  w.media.open();
  await settle();
  assert.equal(w.offers().at(-1)?.connection, 2);
  w.end();
});

test("a denied camera does not cost the microphone", async () => {
  const w = await world();
  w.devices.refuse.video = "NotAllowedError";
  await w.media.acquire();
  assert.deepEqual([w.media.camera.value, w.media.microphone.value], ["lost", "on"]);
  assert.deepEqual(w.media.problem.value, { camera: "not_allowed", microphone: null });
  const asked = w.devices.asked.length;
  await w.clock.pass(60_000);
  assert.equal(w.devices.asked.length, asked);
  w.devices.refuse.video = null;
  w.devices.dispatchEvent(new Event("devicechange"));
  await settle();
  assert.equal(w.media.camera.value, "on");
  w.end();
});

test("an unplugged camera is told, and regained without a new connection", async () => {
  const w = await flowing();
  w.devices.refuse.video = "NotFoundError";
  /** @type {any} */ (w.media.local.value).tracks[1].vanish();
  await settle();
  assert.equal(w.media.camera.value, "lost");
  assert.equal(w.reports().at(-1), "lost on");
  w.devices.refuse.video = null;
  w.devices.dispatchEvent(new Event("devicechange"));
  await settle();
  assert.equal(w.media.camera.value, "on");
  assert.equal(w.reports().at(-1), "on on");
  assert.equal(w.pcs().length, 1);
  const { track } = w.pcs()[0].transceivers[1].sender;
  assert.equal(track.readyState, "live");
  w.end();
});

test("a camera taken by another app is lost after a second and back with the system's word", async () => {
  const w = await flowing();
  const [, camera] = /** @type {any} */ (w.media.local.value).tracks;
  camera.mute(true);
  await w.pass(500);
  assert.equal(w.media.camera.value, "on");
  w.devices.refuse.video = "NotReadableError";
  await w.pass(1000);
  assert.equal(w.media.camera.value, "lost");
  camera.mute(false);
  assert.equal(w.media.camera.value, "on");
  w.end();
});

test("a lost camera is tried again with growing pauses until it is there", async () => {
  const w = await world();
  w.devices.refuse.video = "NotReadableError";
  await w.media.acquire();
  const asked = w.devices.asked.length;
  await w.clock.pass(7500);
  assert.equal(w.devices.asked.length, asked + 3);
  w.devices.refuse.video = null;
  w.visibility.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.equal(w.media.camera.value, "on");
  w.end();
});

test("a camera that was switched off stays off when it is regained", async () => {
  const w = await world();
  await w.media.acquire();
  w.media.setCamera(false);
  /** @type {any} */ (w.media.local.value).tracks[1].vanish();
  await w.clock.pass(1500);
  assert.equal(w.media.camera.value, "off");
  assert.equal(/** @type {any} */ (w.media.local.value).tracks[1].enabled, false);
  w.end();
});

test("switching the camera replaces the track that is sent", async () => {
  const w = await flowing();
  const [, old] = /** @type {any} */ (w.media.local.value).tracks;
  assert.equal(await w.media.switchCamera("environment"), true);
  assert.equal(old.readyState, "ended");
  const { track } = w.pcs()[0].transceivers[1].sender;
  assert.deepEqual(track.constraints.facingMode, { ideal: "environment" });
  assert.equal(await w.media.switchCamera("rear-id"), true);
  assert.deepEqual(w.devices.asked.at(-1).video.deviceId, { exact: "rear-id" });
  w.end();
});

test("a camera that cannot be had brings the former one back", async () => {
  const w = await flowing();
  w.devices.there = ["front"];
  assert.equal(await w.media.switchCamera("gone"), false);
  assert.equal(w.media.camera.value, "on");
  assert.equal(w.pcs()[0].transceivers[1].sender.track.readyState, "live");
  w.end();
});

test("a chosen device that has gone is replaced by any", async () => {
  const w = await world();
  await w.media.acquire({ cameraId: "gone" });
  w.devices.there = ["front"];
  /** @type {any} */ (w.media.local.value).tracks[1].vanish();
  await w.clock.pass(1500);
  assert.equal(w.media.camera.value, "on");
  assert.equal(w.devices.asked.at(-1).video.deviceId, undefined);
  w.end();
});

test("devices that arrive after the page let go are let go too", async () => {
  const w = await world();
  const acquiring = w.media.acquire();
  w.media.release();
  await acquiring;
  assert.equal(w.media.local.value, null);
  assert.deepEqual([w.media.camera.value, w.media.microphone.value], ["off", "off"]);
  w.end();
});

test("a page without https says that devices are not supported", async () => {
  const clock = new Clock();
  const { connection } = await openLine();
  const media = new MediaSession({
    connection,
    MediaStreamClass: /** @type {any} */ (Stream),
    mediaDevices: undefined,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  });
  await media.acquire();
  assert.deepEqual(media.problem.value, { camera: "not_supported", microphone: "not_supported" });
  connection.stop();
});

test("devices are listed by what they are", async () => {
  const w = await world();
  const { cameras, microphones, speakers } = await w.media.devices();
  assert.deepEqual([cameras[0].id, microphones[0].id, speakers[0].id], ["front", "mic", "out"]);
  w.end();
});

test("the next call begins with the front camera, whatever the last one showed", async () => {
  const { media, devices, connection } = await world();
  await media.acquire();
  await media.switchCamera("environment");
  media.release();
  await media.acquire();
  assert.deepEqual(devices.asked.at(-1).video.facingMode, { ideal: "user" });
  media.release();
  await media.acquire();
  await media.switchCamera("front");
  media.release();
  await media.acquire();
  assert.deepEqual(devices.asked.at(-1).video.deviceId, { exact: "front" });
  media.release();
  connection.stop();
});

test("the relay that the server tells is used by the next connection and by the present one", async () => {
  const w = await flowing();
  assert.deepEqual(w.pcs()[0].configuration.iceServers, []);
  const servers = [{ urls: ["turn:relay.example:3478"], username: "1:a", credential: "c" }];
  w.server.say({ type: "relay", relay: { use: "only", servers, expires_at: "2026-11-23T00:00:00Z" } });
  await settle();
  assert.equal(w.pcs().at(-1).configuration.iceTransportPolicy, "relay");
  assert.equal(w.pcs().at(-1).configuration.bundlePolicy, "max-bundle");
  w.server.say({ type: "please-offer", reason: "new_connection" });
  await w.pass(500);
  assert.equal(w.pcs().length, 2);
  assert.deepEqual(w.pcs()[1].configuration.iceServers, servers);
  w.server.say({ type: "relay", relay: null });
  await settle();
  assert.deepEqual(w.pcs()[1].configuration.iceServers, []);
  assert.equal(w.pcs()[1].configuration.iceTransportPolicy, "all");
  w.end();
});

test("while media flows the server is told every three seconds what is measured", async () => {
  const w = await flowing();
  const told = () => w.server.commands.filter((m) => m.type === "call.quality");
  await w.pass(6500);
  const count = told().length;
  assert.ok(count >= 2 && count <= 3, String(count));
  const [first] = told();
  assert.ok(first.seconds >= 3 && first.seconds < 4);
  assert.deepEqual(Object.keys(first.received), ["width", "height", "fps", "loss", "jitter_ms", "freezes", "frozen_ms"]);
  await w.pass(4000, { flowing: false });
  assert.ok(told().length <= count + 1);
  w.end();
});

test("what the other sends is told apart from what the server says by itself", async () => {
  const { media, pass, pcs, end } = await world();
  media.open();
  const talk = async (/** @type {number} */ ms, options = {}) => {
    for (let left = ms; left > 0; left -= 400) {
      pcs().at(-1).rtp += 3;
      await pass(400, options);
    }
  };
  await pass(2000);
  assert.equal(media.arrives.value, false);
  await talk(1200);
  assert.equal(media.arrives.value, true);
  await talk(1200, { pings: false });
  assert.equal(media.arrives.value, true);
  await pass(2000);
  assert.equal(media.arrives.value, false);
  end();
});

test("a third party gets lines of its own when the server asks, and is shown apart from the other end", async () => {
  const w = await flowing();
  w.server.say({ type: "please-offer", reason: "streams", places: 2 });
  await settle();
  assert.equal(w.offers().length, 2);
  const kinds = w.pcs()[0].transceivers.map((/** @type {any} */ x) => [x.receiver.track.kind, x.init.direction]);
  assert.deepEqual(kinds.slice(2), [["audio", "recvonly"], ["video", "recvonly"]]);
  assert.equal(w.media.others.value.length, 0);
  w.server.say({ type: "streams", lines: { 0: "desk", 1: "desk", 2: "guest-1", 3: "guest-1" } });
  await settle();
  const first = w.media.remote.value;
  assert.deepEqual(w.media.others.value.map(({ party }) => party), ["guest-1"]);
  const tracks = w.media.others.value[0].stream.getTracks();
  assert.deepEqual(tracks, w.pcs()[0].transceivers.slice(2).map((/** @type {any} */ x) => x.receiver.track));
  // The same again changes no picture; who leaves is gone, and the other end may move.
  const shown = /** @type {readonly any[]} */ (w.media.others.value);
  w.server.say({ type: "please-offer", reason: "streams", places: 2 });
  await settle();
  assert.equal(w.pcs()[0].transceivers.length, 4);
  assert.deepEqual([w.media.remote.value, w.media.others.value], [first, shown]);
  w.server.say({ type: "streams", lines: { 0: "guest-2", 1: "guest-2", 2: "desk", 3: "desk" } });
  await settle();
  assert.deepEqual(w.media.remote.value?.getTracks(), tracks);
  assert.deepEqual(w.media.others.value.map(({ party }) => party), ["guest-2"]);
  w.end();
});

test("a new connection of the same call has lines for everybody at once, one of the next call has not", async () => {
  const w = await flowing();
  w.server.say({ type: "please-offer", reason: "streams", places: 3 });
  w.server.say({ type: "please-offer", reason: "new_connection" });
  await settle();
  assert.equal(w.pcs().at(-1).transceivers.length, 6);
  w.media.open("another");
  w.media.open("a third");
  await settle();
  assert.equal(w.pcs().at(-1).transceivers.length, 2);
  w.end();
});
