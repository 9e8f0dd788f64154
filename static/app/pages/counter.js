/** The tablet at the counter. */
import { createClerkSignIn } from "../lib/clerk.js";
import { LevelMeter } from "../lib/level.js";
import { linesOf, reopenedOf } from "../lib/steps.js";
import { takeStill } from "../lib/still.js";
import { safeStorage } from "../lib/storage.js";
import { instruction } from "../parts/counter-call.js";
import { CONSENT_VERSION } from "../parts/counter-consent.js";
import { CounterPage } from "../parts/counter-page.js";
import { draw as drawFrame, filmed } from "../parts/frame.js";
import { computed, effect, html, signal, untracked } from "../parts/html.js";
import { plain } from "../parts/rich.js";
import { createSpeech } from "../parts/speech.js";
import { isTraining, nobodyHere } from "../parts/view.js";
import { callChange, chosenOf, healthOf, placeLock } from "../parts/wanted.js";
import { language, t, tIn } from "../parts/words.js";
import { followEnding, followGuests, followLine, followNews, onChange } from "./follow.js";
import { draw, startPage } from "./start.js";
import { begin, followMedia, NOT_LOOKED_YET, wire } from "./wire.js";

/** @typedef {import("../parts/model.js").CounterApp} CounterApp */
/** @typedef {import("./wire.js").Wired} Wired */

const READ_ALOUD = "madoguchi.read_aloud";

/** @param {Wired} wired @returns {CounterApp} */
function counterApp({ app, ask, allowed, api, complain }) {
  const storage = safeStorage(() => localStorage);
  const readAloud = signal(storage.getItem(READ_ALOUD) !== "off");
  const screen = signal(/** @type {"idle" | "blocked" | "consent" | "trouble"} */ ("idle"));
  const practice = signal(false);
  const eligibility = signal(/** @type {import("../parts/eligibility.js").Eligibility | null} */ (null));
  const training = computed(() => isTraining({ you: app.store.you.value, call: app.store.call.value, practice: practice.value }));
  const agreed = signal(/** @type {boolean | null} */ (null));
  const checking = signal(false);
  const chosen = signal(/** @type {string | null} */ (null));
  const busy = signal(false);
  const shift = signal(false);
  const clerk = createClerkSignIn({ api, now: app.store.serverNow, done: () => (shift.value = false) });
  const consent = () => ({ video: true, text_version: CONSENT_VERSION, language: language() });
  /** @param {"idle" | "blocked" | "consent" | "trouble"} next */
  const go = (next) => {
    if (next === "idle") practice.value = false;
    screen.value = next;
    agreed.value = null;
    checking.value = false;
  };
  /** Ask what stands against a call before the resident is asked anything. */
  const begin = async () => {
    if (busy.value || !chosen.value) return;
    busy.value = true;
    const mode = practice.value ? "&training=1" : "";
    // Who cannot be asked is asked again by 呼出 itself, which says what it is refused for.
    eligibility.value = await api.get(`eligibility?procedure=${chosen.value}${mode}`).catch(() => null);
    busy.value = false;
    if (!app.store.call.peek()) go(eligibility.value?.allowed === false ? "blocked" : "consent");
  };
  return {
    ...app,
    training,
    eligibility,
    practise: () => {
      practice.value = true;
      void begin();
    },
    clerk,
    shift,
    signOut: async () => void (await api.post("sign-out").catch(complain)),
    device: {
      ...app.device,
      retry: () => {
        checking.value = screen.value === "trouble";
        app.device.retry();
      },
    },
    screen,
    agreed,
    checking,
    chosen,
    busy,
    readAloud,
    speech: createSpeech(),
    mirrored: signal(true),
    stepSince: signal(0),
    shotAt: signal(0),
    reopened: signal([]),
    clerkTab: signal("originals"),
    tickOff: (need, item, on) => void ask("step.tick", { step: need.step, need: need.need, item, on }),
    health: healthSignal(app, allowed),
    choose: (id) => (chosen.value = id),
    begin,
    answer: (yes) => (agreed.value = yes),
    explain: () => go("trouble"),
    back: () => go("idle"),
    place: async () => {
      const known = { agreed: agreed.value, busy: busy.value, line: app.store.connection.value };
      if (placeLock(known) || !chosen.value) return;
      busy.value = true;
      // What the page shows is what is placed, also when the tablet was switched meanwhile.
      await ask("call.place", { procedure: chosen.value, consent: consent(), training: training.value });
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

/** @param {Wired["app"]} app @param {Wired["allowed"]} allowed */
function healthSignal({ devices }, allowed) {
  return computed(() => {
    const looked = devices.value !== NOT_LOOKED_YET;
    const { cameras, microphones } = devices.value;
    return {
      camera: healthOf(allowed.camera.value, looked ? cameras.length : null),
      microphone: healthOf(allowed.microphone.value, looked ? microphones.length : null),
    };
  });
}

/** The first open procedure stands chosen; the button says which. @param {CounterApp} app */
function followProcedures(app) {
  effect(() => {
    app.chosen.value = chosenOf(app.procedures.value, app.chosen.value);
  });
}

/** A device that was explained and works by now needs no more words. @param {CounterApp} app */
function followTrouble(app) {
  effect(() => {
    const { camera, microphone } = app.media;
    if (app.screen.value === "trouble" && camera.value === "on" && microphone.value === "on") untracked(app.back);
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

/** When the step changed last, and what opens again after an interruption; a picture that the desk asks for is taken and sent. @param {CounterApp} app @param {Wired} wired */
function followSteps(app, { connection, complain }) {
  const { store } = app;
  const lines = computed(() => (store.steps.value?.call === store.call.value?.id ? linesOf(store.steps.value) : []));
  let before = lines.peek();
  effect(() => {
    void store.steps.value?.current;
    untracked(() => (app.stepSince.value = store.serverNow()));
  });
  effect(() => {
    const now = lines.value;
    untracked(() => (app.reopened.value = reopenedOf(now, before, app.reopened.peek())));
    before = now;
  });
  connection.on("message", async (message) => {
    if (message.type !== "still" || message.call !== store.call.peek()?.id) return;
    try {
      const track = app.media.local.peek()?.getVideoTracks()[0];
      app.files.add([await takeStill(track, { name: message.name, draw: drawFrame, filmed })]);
      app.shotAt.value = store.serverNow();
    } catch (error) {
      complain(error);
    }
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
    () => (app.store.call.value?.state === "talking" ? instruction(app).mark : null),
    (mark) => {
      if (mark && app.readAloud.peek() && !app.store.call.peek()?.veiled) {
        const { key, say } = instruction(app);
        app.speech.say(plain(say ? say[language()] : tIn(language(), key)), language());
      }
    },
  );
}

/** The next resident begins with a microphone that hears and a procedure that nobody chose. @param {CounterApp} app */
function forget(app) {
  app.device.microphone(true);
  app.chosen.value = null;
}

/** Questions that were begun with one clerk are not gone on with by the next. @param {CounterApp} app */
function followClerk(app) {
  effect(() => {
    if (nobodyHere(app.store.you.value)) untracked(app.back);
  });
  onChange(
    () => app.store.call.value?.id,
    () => (app.shift.value = false),
  );
}

/** @param {CounterApp} app */
function followCall(app) {
  // A page of questions does not outlive the call that it led to, nor one that another page placed.
  effect(() => {
    if (app.store.call.value) untracked(app.back);
  });
  onChange(
    () => app.store.call.value,
    (call, before) => {
      const { renewed, told } = callChange(before, call);
      if (told || renewed) forget(app);
      if (told === "vanished") app.toasts.show("warn", t("toast.vanished.counter", { number: before?.number ?? "" }));
    },
  );
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
const wired = await wire("counter");
const app = counterApp(wired);
followProcedures(app);
followVeil(app);
followMirror(app);
followTrouble(app);
followSteps(app, wired);
followSpeech(app);
followCall(app);
followClerk(app);
followLine(wired);
followGuests(wired);
followEnding(wired, "counter");
followNews(wired, "counter");
followMedia(wired, "counter", () => app.agreed.value === true || app.checking.value);
draw(html`<${CounterPage} app=${app} />`, element);
await begin(wired, "counter");
