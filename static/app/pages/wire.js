/** The library put together for a page with a call: what counter and desk have in common. */
import { createApi } from "../lib/api.js";
import { createWakeLock } from "../lib/attention.js";
import { createChat } from "../lib/chat.js";
import { wishedCodecs } from "../lib/codecs.js";
import { Connection } from "../lib/connection.js";
import { holdDrops } from "../lib/drops.js";
import { claimPageId } from "../lib/ids.js";
import { leaveWith } from "../lib/leave.js";
import { LevelMeter } from "../lib/level.js";
import { MediaSession } from "../lib/media.js";
import { followPermissions } from "../lib/permissions.js";
import { createSounds } from "../lib/sounds.js";
import { persist, safeStorage } from "../lib/storage.js";
import { createStore } from "../lib/store.js";
import { createTabletKey } from "../lib/tablet-key.js";
import { createUploads } from "../lib/uploads.js";
import { createAnnouncer } from "../parts/announce.js";
import { codeOf, errorWords } from "../parts/errors.js";
import { computed, effect, signal, untracked } from "../parts/html.js";
import { createToasts } from "../parts/toast.js";
import { endedCode, mustEnrol } from "../parts/view.js";
import { mediaWanted } from "../parts/wanted.js";
import { t } from "../parts/words.js";

/** A list that could not be had is asked for again after this. */
const AGAIN_MS = 3_000;

/** @typedef {Awaited<ReturnType<typeof wire>>} Wired */

/** @param {"counter" | "desk"} page */
export async function wire(page) {
  const pageId = await claimPageId(safeStorage(() => sessionStorage));
  const tablet = page === "counter" ? createTabletKey() : undefined;
  const api = createApi({ page, tablet });
  const store = createStore();
  const connection = new Connection({ url: api.urls.socket(), page, pageId, prove: tablet?.socket, stillSignedIn: api.signedIn });
  store.follow(connection);
  // The tablet makes the pictures that matter; a desk follows it.
  const videoCodecs = page === "counter" ? await wishedCodecs() : undefined;
  /** @param {import("../lib/tablet-key.js").Asked} asked @param {number} number @param {string} sdp */
  const sign = async (asked, number, sdp) => (tablet ? tablet.offer(asked, store.call.peek()?.id ?? "", number, sdp) : "");
  const media = new MediaSession({ connection, videoCodecs, signOffer: tablet && sign, other: page === "counter" ? "desk" : "counter" });
  const meter = new LevelMeter();
  const sounds = createSounds();
  const toasts = createToasts({ seconds: 8 });
  const now = signal(store.serverNow());
  setInterval(() => (now.value = store.serverNow()), 1000);
  leaveWith({ connection });
  void persist();
  followSound(media, meter);
  holdDrops();

  /** @param {unknown} error */
  const complain = (error) => toasts.show("stop", errorWords(codeOf(error)), "alert");
  /**
   * Ask the server; what it refuses is said. Tells whether it was done.
   * @template {keyof import("../lib/protocol.js").ClientFields} K
   * @param {K} type
   * @param {import("../lib/protocol.js").ClientFields[K]} fields
   */
  const ask = async (type, fields) => {
    try {
      await connection.send(type, fields);
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  };
  const procedures = signal(/** @type {import("../parts/model.js").Procedure[]} */ ([]));
  const shared = { store, media, meter, toasts, now, procedures, devices: followDevices(media), draft: createDraft(store) };
  return {
    /** What decides what the page shows and holds. @returns {import("../parts/view.js").Known} */
    known: () => ({
      you: store.you.value,
      line: store.connection.value,
      ended: store.ended.value,
      call: store.call.value,
    }),
    allowed: followPermissions(),
    api,
    connection,
    sounds,
    ask,
    complain,
    app: {
      ...shared,
      voice: createAnnouncer(),
      chat: createChat({ connection, store, warn: (code) => toasts.show("warn", t(`chat.warning.${code}`)) }),
      files: createFiles(api, store, complain),
      device: deviceActions(media, toasts),
      /** @param {boolean} on */
      veil: (on) => void ask("call.veil", { on }),
      resident: async (/** @type {string} */ call) => (await api.get(`calls/${call}/resident`)).resident,
      takeOver: () => connection.takeOver(),
      reconnect: () => (connection.status.state === "stopped" ? connection.start() : connection.check()),
      signOut: async () => {
        const out = await api.post("sign-out").catch(() => null);
        location.replace(out?.go ?? `/sign-in?page=${page}`);
      },
      signIn: () =>
        location.assign(!mustEnrol(endedCode({ ended: store.ended.value, line: store.connection.value })) ? `/sign-in?page=${page}` : "/enrol"),
    },
  };
}

/**
 * Camera, microphone, connection and screen lock follow what is wanted; else the lights are out.
 * @param {Wired} wired
 * @param {"counter" | "desk"} page
 * @param {() => boolean} agreed whether who is at the page has said yes to the picture
 */
export function followMedia({ app: { media, store }, known, allowed }, page, agreed) {
  const wake = createWakeLock();
  const wanted = computed(() => mediaWanted({ ...known(), page, agreed: agreed(), open: store.deskState.value === "open" }));
  const devices = computed(() => wanted.value.devices);
  const mode = computed(() => (wanted.value.flowing ? "call" : wanted.value.warm ? "warm" : "off"));
  const callId = computed(() => wanted.value.callId);
  const awake = computed(() => wanted.value.awake);
  effect(() => {
    const on = devices.value;
    untracked(() => (on ? void media.acquire() : media.release()));
  });
  effect(() => {
    const [how, where] = [mode.value, callId.value];
    untracked(() => (how === "call" ? media.open(where) : how === "warm" ? media.warm(where) : media.close()));
  });
  // Leave that was given meanwhile brings a refused device back.
  effect(() => {
    const given = allowed.camera.value === "granted" || allowed.microphone.value === "granted";
    if (given && devices.peek()) untracked(() => void media.acquire());
  });
  effect(() => void (awake.value ? wake.on() : wake.off()));
}

/** The level of the own microphone. @param {MediaSession} media @param {LevelMeter} meter */
function followSound(media, meter) {
  effect(() => {
    const stream = media.local.value;
    untracked(() => meter.start(stream));
  });
  effect(() => {
    const muted = media.microphone.value !== "on";
    untracked(() => meter.setMuted(muted));
  });
  // A page that was loaded anew hears nothing before the first touch.
  addEventListener("pointerdown", () => meter.start(media.local.peek()), { once: true });
}

/**
 * The devices of a page that has not been told any: Firefox tells them once the page has the focus.
 * @type {import("../parts/model.js").DeviceList}
 */
export const NOT_LOOKED_YET = Object.freeze({ cameras: [], microphones: [] });

/** @param {MediaSession} media */
function followDevices(media) {
  const devices = signal(NOT_LOOKED_YET);
  const look = async () => {
    devices.value = await media.devices().catch(() => ({ cameras: [], microphones: [] }));
  };
  effect(() => {
    void media.local.value;
    void look();
  });
  navigator.mediaDevices?.addEventListener("devicechange", look);
  return devices;
}

/** @param {MediaSession} media @param {import("../parts/toast.js").ToastList} toasts */
function deviceActions(media, toasts) {
  /** @param {Promise<boolean>} change */
  const said = async (change) => {
    if (!(await change)) toasts.show("warn", t("device.switch_failed"), "camoff");
  };
  const facing = () => media.local.peek()?.getVideoTracks()[0]?.getSettings().facingMode;
  return {
    /** @param {boolean} on */
    microphone: (on) => media.setMicrophone(on),
    /** @param {boolean} on */
    camera: (on) => media.setCamera(on),
    flip: () => said(media.switchCamera(facing() === "environment" ? "user" : "environment")),
    /** @param {string} id */
    pickCamera: (id) => said(media.switchCamera(id)),
    /** @param {string} id */
    pickMicrophone: (id) => said(media.switchMicrophone(id)),
    retry: () => void media.acquire(),
  };
}

/** What is being written in the chat stays while its part is not drawn; another call begins with nothing. @param {import("../lib/store.js").Store} store */
function createDraft(store) {
  const draft = signal("");
  const id = computed(() => store.call.value?.id);
  effect(() => {
    void id.value;
    draft.value = "";
  });
  return draft;
}

/** The files of the running call; a new call has its own. @param {ReturnType<typeof createApi>} api @param {import("../lib/store.js").Store} store @param {(error: unknown) => void} complain */
function createFiles(api, store, complain) {
  const current = signal(/** @type {ReturnType<typeof createUploads> | null} */ (null));
  const id = computed(() => (store.call.value?.state === "closed" ? null : store.call.value?.id));
  /** @param {string | null | undefined} call */
  const change = (call) => {
    void current.value?.forget();
    const limits = store.limits.value;
    current.value = call && limits ? createUploads({ url: api.urls.files(call), call, csrf: api.csrf, limits }) : null;
    void current.value?.resume();
  };
  effect(() => {
    const call = id.value;
    untracked(() => change(call));
  });
  effect(() => {
    if (store.connection.value.state === "open") current.peek()?.wake();
  });
  return {
    uploads: computed(() => current.value?.items.value ?? []),
    /** @param {Iterable<File>} files */
    add: (files) => [...files].forEach((file) => current.peek()?.add(file)),
    /** @param {string} key */
    cancel: (key) => void current.peek()?.cancel(key),
    /** @param {string} key */
    dismiss: (key) => current.peek()?.dismiss(key),
    /** @param {string} id */
    withdraw: (id) => void current.peek()?.withdraw(id).catch(complain),
    /** @param {string} key */
    retry: (key) => current.peek()?.retry(key),
    /** @param {import("../parts/model.js").FileNoun} file @param {{inline?: boolean}} [options] */
    url: (file, options) => api.urls.content(store.call.peek()?.id ?? "", file.id, options),
  };
}

/**
 * Ask who this page is, then connect. A page that may not be here goes to where it can be let in.
 * @param {Wired} wired
 * @param {"counter" | "desk"} page
 */
export async function begin({ api, connection, app }, page) {
  try {
    await api.me();
  } catch (error) {
    const code = codeOf(error);
    if (mustEnrol(code)) return location.replace(`/enrol?why=${code}`);
    if (code === "signed_out" || code === "no_clerk") return location.replace(`/sign-in?page=${page}`);
    // The server is away: the connection tries until it comes back.
  }
  followProcedures(api, app);
  connection.start();
}

/** The procedures are asked for whenever the line opens: they may have changed meanwhile. @param {ReturnType<typeof createApi>} api @param {Wired["app"]} app */
function followProcedures(api, { store, procedures }) {
  const open = computed(() => store.connection.value.state === "open");
  let timer = /** @type {any} */ (null);
  const load = async () => {
    clearTimeout(timer);
    try {
      procedures.value = (await api.get("procedures")).procedures;
    } catch {
      if (open.peek()) timer = setTimeout(load, AGAIN_MS);
    }
  };
  effect(() => {
    if (open.value) untracked(() => void load());
  });
}
