/**
 * What the server told, as signals that components follow.
 *
 *     const store = createStore();
 *     store.follow(connection);             // applies every message, mirrors the connection's status
 *     store.call.value?.state
 *     store.serverNow()                     // ms; for countdowns to `gives_up_at`
 *     store.dismissCall()                   // after the result was read
 *
 * Signals: you limits call chat read files queue position quality steps approvals deskState serverOffset ended
 * pending connection, and computed: fileList (by time), unread (chat of others not read yet).
 * The page draws and never writes them.
 */
import { batch, computed, signal } from "../../vendor/signals-core.js";
import { EMPTY, dismissed, draftDropped, draftFailed, draftSent, reduce } from "./state.js";

export { EMPTY, reduce } from "./state.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Draft} Draft
 * @typedef {ReturnType<typeof createStore>} Store
 */

/** @param {{now?: () => number}} [options] */
export function createStore({ now = Date.now } = {}) {
  let state = /** @type {State} */ (EMPTY);
  const signals = {
    you: signal(state.you),
    limits: signal(state.limits),
    call: signal(state.call),
    chat: signal(state.chat),
    read: signal(state.read),
    files: signal(state.files),
    queue: signal(state.queue),
    position: signal(state.position),
    quality: signal(state.quality),
    steps: signal(state.steps),
    approvals: signal(state.approvals),
    deskState: signal(state.deskState),
    serverOffset: signal(state.serverOffset),
    ended: signal(state.ended),
    pending: signal(state.pending),
  };
  const connection = signal(
    /** @type {import("./connection.js").Status} */ ({
      state: "stopped",
      closeCode: null,
      code: null,
      since: now(),
      attempt: 0,
    }),
  );

  /** @param {State} next */
  function become(next) {
    state = next;
    batch(() => {
      for (const name of /** @type {(keyof State)[]} */ (Object.keys(signals))) {
        /** @type {{value: unknown}} */ (signals[name]).value = next[name];
      }
    });
  }

  /** @param {import("./protocol.js").ServerMessage} message */
  const apply = (message) => become(reduce(state, message, now()));

  return {
    ...signals,
    connection,
    fileList: computed(() =>
      Object.values(signals.files.value).sort((a, b) => a.at.localeCompare(b.at)),
    ),
    unread: computed(() => {
      const own = signals.you.value?.page;
      const seen = own ? signals.read.value[own] : 0;
      return signals.chat.value.filter((m) => m.from !== own && m.number > seen).length;
    }),
    apply,
    /** @param {import("./connection.js").Connection} source @returns {() => void} */
    follow(source) {
      connection.value = source.status;
      const offs = [
        source.on("message", apply),
        source.on("state", (status) => (connection.value = status)),
      ];
      return () => offs.forEach((off) => off());
    },
    serverNow: () => now() + state.serverOffset,
    dismissCall: () => become(dismissed(state)),
    /** For chat.js. @param {string} id @param {string} text */
    draftSent: (id, text) => become(draftSent(state, id, text)),
    /** For chat.js. @param {string} id @param {string} code */
    draftFailed: (id, code) => become(draftFailed(state, id, code)),
    /** For chat.js. @param {string} id */
    draftDropped: (id) => become(draftDropped(state, id)),
  };
}
