/** 開始前点検: a counter tries itself; staff read what came of it. */
import { createApi } from "../lib/api.js";
import { Connection } from "../lib/connection.js";
import { claimPageId } from "../lib/ids.js";
import { LevelMeter } from "../lib/level.js";
import { runCheck } from "../lib/precheck.js";
import { safeStorage } from "../lib/storage.js";
import { createSounds } from "../lib/sounds.js";
import { createTabletKey } from "../lib/tablet-key.js";
import { codeOf } from "../parts/errors.js";
import { pixels } from "../parts/frame.js";
import { effect, html, signal, untracked } from "../parts/html.js";
import { Precheck } from "../parts/precheck.js";
import { mustEnrol } from "../parts/view.js";
import { draw, startPage } from "./start.js";

const asked = new URLSearchParams(location.search).get("page");
const page = asked === "desk" || asked === "officer" ? asked : "counter";
const tablet = page === "counter" ? createTabletKey() : undefined;
const api = createApi({ page, tablet });
const meter = new LevelMeter();
const loudest = signal(0);
const sounds = createSounds();
/** How long an answer is waited for. */
const ANSWER_MS = 20_000;

/** @type {import("../parts/precheck.js").PrecheckApp} */
const app = {
  page,
  you: signal(null),
  step: signal(null),
  stream: signal(null),
  level: meter.level,
  asked: signal(null),
  tone: () => void sounds.tryRing(),
  results: signal(null),
  chosen: signal(null),
  error: signal(null),
  run: () => void run(),
  choose: (id) => (app.chosen.value = id),
  print: () => globalThis.print(),
};

effect(() => {
  const now = meter.level.value;
  untracked(() => (loudest.value = Math.max(loudest.value, now)));
});

async function connect() {
  const pageId = await claimPageId(safeStorage(() => sessionStorage));
  const connection = new Connection({ url: api.urls.socket(), page: "counter", pageId, prove: tablet?.socket, stillSignedIn: api.signedIn });
  connection.start();
  return connection;
}

/** Play a tone and wait for what the clerk says of it; null when nobody says anything. @returns {Promise<boolean | null>} */
async function heard() {
  app.tone();
  const said = await new Promise((resolve) => {
    app.asked.value = resolve;
    setTimeout(() => resolve(null), ANSWER_MS);
  });
  app.asked.value = null;
  return said;
}

async function run() {
  if (app.step.value) return;
  app.error.value = null;
  loudest.value = 0;
  app.step.value = "begin";
  const connection = await connect();
  try {
    await runCheck({
      api,
      connection,
      level: () => loudest.value,
      hear: (stream) => {
        app.stream.value = stream;
        meter.start(stream);
      },
      tell: (step) => (app.step.value = step),
      heard,
      tools: {
        devices: navigator.mediaDevices,
        RTCPeerConnectionClass: RTCPeerConnection,
        fetch: (input, init) => fetch(input, init),
        subtle: crypto.subtle,
        now: Date.now,
        pixels,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      },
    });
    await load();
    app.chosen.value = app.results.value?.prechecks[0]?.id ?? null;
  } catch (error) {
    app.error.value = codeOf(error);
  } finally {
    connection.stop();
    meter.stop();
    app.step.value = null;
  }
}

async function load() {
  app.results.value = await api.get("prechecks");
}

const element = await startPage("precheck");
draw(html`<${Precheck} app=${app} />`, element);
try {
  app.you.value = (await api.me()).you;
  await load();
} catch (error) {
  const code = codeOf(error);
  if (mustEnrol(code)) location.replace(`/enrol?why=${code}`);
  else if (code === "signed_out" || code === "no_clerk") location.replace(`/sign-in?page=${page}`);
  else app.error.value = code;
}
