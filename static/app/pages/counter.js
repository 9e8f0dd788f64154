/** The tablet at the counter. */
import { LevelMeter } from "../lib/level.js";
import { safeStorage } from "../lib/storage.js";
import { instruction } from "../parts/counter-call.js";
import { CONSENT_VERSION } from "../parts/counter-consent.js";
import { CounterPage } from "../parts/counter-page.js";
import { effect, html, signal, untracked } from "../parts/html.js";
import { plain } from "../parts/rich.js";
import { createSpeech } from "../parts/speech.js";
import { language, t, tIn } from "../parts/words.js";
import { followLine, followNews, onChange } from "./follow.js";
import { draw, startPage } from "./start.js";
import { begin, followMedia, NOT_LOOKED_YET, wire } from "./wire.js";

/** @typedef {import("../parts/model.js").CounterApp} CounterApp */
/** @typedef {import("./wire.js").Wired} Wired */

const READ_ALOUD = "madoguchi.read_aloud";

/** @param {Wired} wired @returns {CounterApp} */
function counterApp({ app, ask }) {
  const storage = safeStorage(() => localStorage);
  const readAloud = signal(storage.getItem(READ_ALOUD) !== "off");
  const screen = signal(/** @type {"idle" | "consent"} */ ("idle"));
  const chosen = signal(/** @type {string | null} */ (null));
  const busy = signal(false);
  const consent = () => ({ video: true, text_version: CONSENT_VERSION, language: language() });
  return {
    ...app,
    screen,
    chosen,
    busy,
    readAloud,
    speech: createSpeech(),
    mirrored: signal(true),
    health: signal(/** @type {import("../parts/model.js").Health} */ ({ camera: "unknown", microphone: "unknown" })),
    choose: (id) => (chosen.value = id),
    begin: () => {
      screen.value = "consent";
      void app.media.acquire();
    },
    back: () => {
      screen.value = "idle";
      app.media.release();
    },
    place: async () => {
      if (busy.value || !chosen.value) return;
      busy.value = true;
      if (await ask("call.place", { procedure: chosen.value, consent: consent() })) screen.value = "idle";
      busy.value = false;
    },
    withdraw: () => void ask("call.withdraw", {}),
    finish: () => app.store.dismissCall(),
    setReadAloud: (on) => {
      readAloud.value = on;
      storage.setItem(READ_ALOUD, on ? "on" : "off");
    },
  };
}

/** The first open procedure stands chosen; the button says which. @param {CounterApp} app */
function followProcedures(app) {
  effect(() => {
    const open = app.procedures.value.find((procedure) => procedure.status === "open");
    if (open && !app.chosen.peek()) app.chosen.value = open.id;
  });
}

/** While a PIN is typed no picture leaves the tablet, whatever the line does. @param {CounterApp} app */
function followVeil(app) {
  onChange(
    () => app.store.call.value?.veiled ?? false,
    (veiled) => app.device.camera(!veiled),
  );
  if (app.store.call.peek()?.veiled) app.device.camera(false);
}

/** A picture of the front camera is mirrored; papers before the rear camera are not. @param {CounterApp} app */
function followMirror(app) {
  effect(() => {
    const facing = app.media.local.value?.getVideoTracks()[0]?.getSettings().facingMode;
    app.mirrored.value = facing !== "environment";
  });
}

/** @param {"camera" | "microphone"} name @param {number} found @returns {Promise<import("../parts/model.js").DeviceHealth>} */
async function healthOf(name, found) {
  if (found === 0) return "none";
  try {
    const { state } = await navigator.permissions.query({ name: /** @type {any} */ (name) });
    return state === "granted" ? "ready" : state === "denied" ? "denied" : "unknown";
  } catch {
    return "unknown"; // Not every browser answers for these names.
  }
}

/** @param {CounterApp} app */
function followHealth(app) {
  effect(() => {
    if (app.devices.value === NOT_LOOKED_YET) return;
    const { cameras, microphones } = app.devices.value;
    void (async () => {
      const camera = await healthOf("camera", cameras.length);
      app.health.value = { camera, microphone: await healthOf("microphone", microphones.length) };
    })();
  });
}

/** What the resident is asked is read aloud, until the officer speaks; never during the veil. @param {CounterApp} app */
function followSpeech(app) {
  const ear = new LevelMeter();
  effect(() => {
    const remote = app.media.remote.value;
    untracked(() => ear.start(remote));
  });
  effect(() => {
    if (ear.speaking.value || app.store.call.value?.veiled) app.speech.stop();
  });
  onChange(
    () => (app.store.call.value?.state === "talking" ? instruction(app).key : null),
    (key) => {
      if (key && app.readAloud.peek() && !app.store.call.peek()?.veiled) {
        app.speech.say(plain(tIn(language(), key)), language());
      }
    },
  );
}

/** @param {CounterApp} app */
function followCall(app) {
  onChange(
    () => app.store.call.value?.state,
    (state, before) => {
      if (state === "talking" && before !== "deciding" && before !== "interrupted") app.voice.now(t("announce.talking"));
      if (state === "waiting" && before === "interrupted") app.toasts.show("warn", t("toast.requeued"));
      // Who withdrew knows it; there is no result to read.
      if (state === "closed" && app.store.call.peek()?.reason === "withdrawn") app.store.dismissCall();
    },
  );
}

const element = await startPage("counter");
const wired = wire("counter");
const app = counterApp(wired);
followProcedures(app);
followVeil(app);
followMirror(app);
followHealth(app);
followSpeech(app);
followCall(app);
followLine(wired);
followNews(wired, "counter");
// From consent to the end of the call the camera stays on, so that the officer sees a picture at once.
followMedia(wired, (state) => state === "waiting" || state === "ringing" || (!state && app.screen.peek() === "consent"));
draw(html`<${CounterPage} app=${app} />`, element);
await begin(wired, "counter");
