/**
 * Whether media still arrives, and what to do when it does not. Pure.
 *
 * The server sends RTCP on every leg at least every 500 ms (DESIGN "Signalling"), so a transport
 * whose packet count stands still for 1.5 s is broken, whatever `connectionState` says: it takes
 * 6 s to notice. First the path is looked for anew (ICE restart, same keys); if that brings nothing
 * within 3 s the connection is made anew, then again with growing patience. A warm connection, which
 * carries nothing yet, hears from the server every 2 s only and is given more time.
 */

/** Standing still for this long is a broken path. */
export const STILL_MS = 1_500;
/** Long enough to look for the path anew where many packets came: an ICE restart costs little. */
export const LIVELY_STILL_MS = 600;
/** Packets a second that make a connection lively; reports alone are two. */
const LIVELY_PER_SECOND = 20;
/** The same after a hint that the network changed. */
export const STILL_AFTER_HINT_MS = 700;
/** The same of a warm connection: three reports are missing, or one and a bit after a hint. */
export const IDLE_STILL_MS = 6_500;
export const IDLE_STILL_AFTER_HINT_MS = 2_500;
/** How long an ICE restart may take before the connection is replaced. */
export const RESTART_MS = 3_000;
/** How long a new connection may take, by the number of replacements in a row. */
export const REPLACE_MS = Object.freeze([5_000, 8_000, 12_000, 20_000]);
/** A hint is good for this long. */
const HINT_MS = 3_000;

/**
 * @typedef {"connecting" | "flowing" | "stalled"} Flow
 * @typedef {"none" | "restart" | "replace"} Action
 *
 * @typedef {object} WatchdogState
 * @property {number | null} packets last count; null before the first sample of a connection
 * @property {number} movedAt ms, when the count last grew or the connection was made
 * @property {boolean} flowed whether this connection ever carried anything
 * @property {Action} tried what was last done about the present stillness
 * @property {number} triedAt ms
 * @property {number} replaced replacements since media last flowed
 * @property {number} hintAt ms of the last hint, -Infinity without one
 * @property {number} pace packets a second, lately
 *
 * @typedef {object} Sample
 * @property {number | null} packets received on the transport; null when the browser cannot say yet
 * @property {boolean} connected `connectionState` is "connected"
 * @property {boolean} canSignal the socket is open, so an offer can be sent
 * @property {boolean} [idle] the connection is warm: nothing is to be carried yet
 */

/** The state for a connection made at `now`. @param {number} now ms @param {number} [replaced] @returns {WatchdogState} */
export function watchdogStart(now, replaced = 0) {
  return {
    packets: null,
    movedAt: now,
    flowed: false,
    tried: "none",
    triedAt: now,
    replaced,
    hintAt: -Infinity,
    pace: 0,
  };
}

/** Something about the network changed: be less patient for a moment. @param {WatchdogState} state @param {number} now ms @returns {WatchdogState} */
export function watchdogHint(state, now) {
  return { ...state, hintAt: now };
}

/** An action was carried out at `now` by somebody else (the server asked for it). @param {WatchdogState} state @param {number} now ms @returns {WatchdogState} */
export function watchdogRestarted(state, now) {
  return { ...state, tried: "restart", triedAt: now };
}

/** A warm connection is put to use: its silence so far means nothing. @param {WatchdogState} state @param {number} now ms @returns {WatchdogState} */
export function watchdogUsed(state, now) {
  return { ...state, movedAt: now };
}

/**
 * Judge one sample: the next state, how media flows, and what to do now.
 * @param {WatchdogState} state
 * @param {Sample} sample
 * @param {number} now ms
 * @returns {{state: WatchdogState, flow: Flow, action: Action}}
 */
export function watchdogStep(state, sample, now) {
  if (sample.packets !== null && sample.packets > (state.packets ?? 0)) {
    return moved(state, sample.packets, sample.connected, now);
  }
  // A counter that starts again (another candidate pair) is no movement, only a new beginning.
  if (sample.packets !== null && sample.packets !== state.packets) {
    state = { ...state, packets: sample.packets };
  }
  const still = now - state.movedAt;
  const limit = patience(sample.idle ?? false, now - state.hintAt <= HINT_MS);
  if (!sample.idle && sample.canSignal && isSuddenlyStill(state, still)) {
    const action = /** @type {Action} */ ("restart");
    const flow = still < limit ? /** @type {Flow} */ ("flowing") : /** @type {Flow} */ ("stalled");
    return { state: { ...state, tried: action, triedAt: now }, flow, action };
  }
  if (state.flowed && still < limit) return { state, flow: "flowing", action: "none" };
  const flow = state.flowed ? "stalled" : "connecting";
  // Without a socket nothing can be offered; patience counts from its return.
  if (!sample.canSignal) return { state: { ...state, triedAt: now }, flow, action: "none" };
  const action = nextAction(state, now);
  if (action === "none") return { state, flow, action };
  return {
    state: {
      ...state,
      tried: action,
      triedAt: now,
      replaced: state.replaced + (action === "replace" ? 1 : 0),
    },
    flow,
    action,
  };
}

/** @param {boolean} idle @param {boolean} hinted */
function patience(idle, hinted) {
  if (idle) return hinted ? IDLE_STILL_AFTER_HINT_MS : IDLE_STILL_MS;
  return hinted ? STILL_AFTER_HINT_MS : STILL_MS;
}

/** @param {WatchdogState} state @param {number} still ms */
function isSuddenlyStill(state, still) {
  const lively = state.flowed && state.pace >= LIVELY_PER_SECOND;
  return lively && state.tried === "none" && still >= LIVELY_STILL_MS;
}

/** @param {WatchdogState} state @param {number} packets @param {boolean} connected @param {number} now */
function moved(state, packets, connected, now) {
  const flowed = state.flowed || connected;
  const came = packets - (state.packets ?? packets);
  const pace = now > state.movedAt ? (came * 1000) / (now - state.movedAt) : state.pace;
  return {
    state: {
      ...state,
      packets,
      pace: (state.pace + pace) / 2,
      movedAt: now,
      flowed,
      tried: /** @type {Action} */ ("none"),
      // Packets of a handshake that never ends do not buy more patience.
      triedAt: flowed ? now : state.triedAt,
      replaced: flowed ? 0 : state.replaced,
    },
    flow: /** @type {Flow} */ (flowed ? "flowing" : "connecting"),
    action: /** @type {Action} */ ("none"),
  };
}

/** @param {WatchdogState} state @param {number} now @returns {Action} */
function nextAction(state, now) {
  const since = now - state.triedAt;
  if (!state.flowed) {
    const patience = REPLACE_MS[Math.min(state.replaced, REPLACE_MS.length - 1)];
    return since >= patience ? "replace" : "none";
  }
  if (state.tried === "none") return "restart";
  if (state.tried === "restart") return since >= RESTART_MS ? "replace" : "none";
  return "none";
}

/**
 * How many packets a connection has received, from the reports of `getStats`; null when no report says.
 *
 * `transport` counts RTP and RTCP together. A browser without that number is asked for the chosen
 * candidate pair, then for the sum of what streams and RTCP reports count, which also only grows.
 * @param {Iterable<Record<string, any>>} reports
 * @returns {number | null}
 */
export function packetsReceived(reports) {
  const all = [...reports];
  const sum = (/** @type {string} */ type, /** @type {string} */ field) => {
    const found = all.filter((r) => r.type === type && typeof r[field] === "number");
    return found.length ? found.reduce((total, r) => total + r[field], 0) : null;
  };
  const chosen = all.filter((r) => r.type === "candidate-pair" && (r.nominated || r.selected));
  const pair = chosen.find((r) => typeof r.packetsReceived === "number")?.packetsReceived ?? null;
  const streams = sum("inbound-rtp", "packetsReceived");
  const feedback = sum("remote-inbound-rtp", "timestamp");
  return (
    sum("transport", "packetsReceived") ??
    pair ??
    (streams === null && feedback === null ? null : (streams ?? 0) + (feedback ?? 0))
  );
}
