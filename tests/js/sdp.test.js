import assert from "node:assert/strict";
import { test } from "node:test";
import { withSoundAgain } from "../../static/app/lib/sdp.js";

const OFFER = [
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
  "a=rtpmap:111 opus/48000/2",
  "a=rtcp-fb:111 transport-cc",
  "a=rtpmap:63 red/48000/2",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=rtpmap:96 VP8/90000",
  "a=rtcp-fb:96 nack",
  "",
].join("\r\n");

test("lost sound may be asked for again, and nothing else changes", () => {
  const changed = withSoundAgain(OFFER).split("\r\n");
  assert.deepEqual(
    changed.filter((line) => !OFFER.split("\r\n").includes(line)),
    ["a=rtcp-fb:111 nack"],
  );
  assert.equal(changed.indexOf("a=rtcp-fb:111 nack"), 3);
});

test("an offer that says so already stays as it is", () => {
  const once = withSoundAgain(OFFER);
  assert.equal(withSoundAgain(once), once);
  assert.equal(withSoundAgain(""), "");
});
