/**
 * What a page knows, and how each server message changes it. Pure: `reduce` gives a new state and
 * leaves the old one alone. The server's word replaces ours; an older version never does.
 */

/**
 * @typedef {import("./protocol.js").CallNoun} CallNoun
 * @typedef {import("./protocol.js").ChatNoun} ChatNoun
 * @typedef {import("./protocol.js").FileNoun} FileNoun
 * @typedef {{id: string, text: string, state: "sending" | "failed", code: string | null}} Draft
 *
 * @typedef {object} State
 * @property {import("./protocol.js").You | null} you
 * @property {import("./protocol.js").LimitsNoun | null} limits
 * @property {CallNoun | null} call the one that this page is in, or was in until dismissed
 * @property {readonly ChatNoun[]} chat by number
 * @property {import("./protocol.js").ReadNoun} read
 * @property {Readonly<Record<string, FileNoun>>} files by id
 * @property {import("./protocol.js").QueueNoun | null} queue
 * @property {import("./protocol.js").PositionNoun | null} position
 * @property {import("./protocol.js").QualityNoun | null} quality of the call under way, as last told
 * @property {import("./protocol.js").StepsNoun | null} steps of the call
 * @property {readonly import("./protocol.js").AskedApproval[]} approvals that seniors are asked for
 * @property {import("./protocol.js").DeskState | null} deskState
 * @property {number} serverOffset server time minus the page's clock, ms
 * @property {string | null} ended why the sign-in is over
 * @property {readonly Draft[]} pending chat that the server has not acknowledged
 */

/** @type {Readonly<State>} */
export const EMPTY = Object.freeze({
  you: null,
  limits: null,
  call: null,
  chat: [],
  read: { counter: 0, desk: 0 },
  files: {},
  queue: null,
  position: null,
  quality: null,
  steps: null,
  approvals: [],
  deskState: null,
  serverOffset: 0,
  ended: null,
  pending: [],
});

/** What belongs to a call and goes with it. */
const NO_CALL = Object.freeze({
  call: EMPTY.call,
  chat: EMPTY.chat,
  read: EMPTY.read,
  files: EMPTY.files,
  pending: EMPTY.pending,
  position: EMPTY.position,
  quality: EMPTY.quality,
  steps: EMPTY.steps,
});

/**
 * The state after a server message. Messages that change nothing give the same object.
 * @param {State} state
 * @param {import("./protocol.js").ServerMessage} message
 * @param {number} now the page's clock, ms
 * @returns {State}
 */
export function reduce(state, message, now) {
  switch (message.type) {
    case "welcome":
      return welcome(state, message, now);
    case "call":
      return withCall(state, message.call);
    case "ok":
      return message.call ? withPast(withCall(state, message.call), message) : state;
    case "queue":
      return { ...state, queue: message.queue };
    case "position":
      return { ...state, position: message.position };
    case "quality":
      return { ...state, quality: message.quality };
    case "steps":
      return withSteps(state, message.steps);
    case "approvals":
      return { ...state, approvals: message.approvals };
    case "chat":
      return withChat(state, message.message);
    case "chat.read":
      return withRead(state, message.party, message.number);
    case "file":
      return { ...state, files: { ...state.files, [message.file.id]: message.file } };
    case "you":
      return { ...state, you: message.you };
    case "desk":
      return { ...state, deskState: message.state };
    case "ended":
      return { ...state, ended: message.code };
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {import("./protocol.js").WelcomeMessage} message
 * @param {number} now
 * @returns {State}
 */
function welcome(state, message, now) {
  const { you, limits } = message;
  const known = {
    ...state,
    you,
    limits,
    ended: null,
    serverOffset: Date.parse(message.server_time) - now,
    deskState: you.page === "desk" ? you.desk_state : null,
  };
  const told = message.state;
  if (!told) return known;
  const sameCall = told.call !== null && told.call.id === state.call?.id;
  const stored = new Set(told.chat.map((m) => m.id));
  return {
    ...known,
    // A result stays on the screen until it is dismissed.
    call: told.call && mayHave(known, told.call) ? told.call : closedOrNull(state.call),
    chat: told.chat.toSorted((a, b) => a.number - b.number),
    read: told.read,
    files: Object.fromEntries(told.files.map((file) => [file.id, file])),
    queue: told.queue,
    position: told.position,
    quality: sameCall ? state.quality : null,
    steps: told.steps ?? null,
    pending: sameCall ? state.pending.filter((draft) => !stored.has(draft.id)) : [],
  };
}

/** @param {CallNoun | null} call */
function closedOrNull(call) {
  return call?.state === "closed" ? call : null;
}

/** @param {State} state @param {CallNoun} call @returns {State} */
function withCall(state, call) {
  const old = state.call;
  if (old?.id === call.id && call.version < old.version) return state;
  if (!mayHave(state, call)) return old?.id === call.id ? { ...state, ...NO_CALL } : state;
  if (old?.id === call.id) {
    return { ...state, call, position: inQueue(call) ? state.position : null };
  }
  // The end of some other call does not push aside the one that goes on.
  if (old && old.state !== "closed" && call.state === "closed") return state;
  const steps = state.steps?.call === call.id ? state.steps : null;
  return { ...state, ...NO_CALL, steps, call, position: inQueue(call) ? state.position : null };
}

/** Steps may be told before the call that they belong to. @param {State} state @param {import("./protocol.js").StepsNoun | null} steps @returns {State} */
function withSteps(state, steps) {
  if (!steps || (steps.call === state.steps?.call && steps.version < state.steps.version)) return state;
  return { ...state, steps };
}

/**
 * Whether this page can be in `call`. A desk is in none that is in the queue: what it had and went
 * back there is another desk's now.
 * @param {State} state
 * @param {CallNoun} call
 */
function mayHave(state, call) {
  return state.you?.page !== "desk" || !(inQueue(call) || hasLeft(state, call));
}

/** Whether this person was in the call as a third party and is not any more. @param {State} state @param {CallNoun} call */
function hasLeft({ you, call: before }, call) {
  if (you?.page !== "desk" || before?.id !== call.id) return false;
  const isIn = (/** @type {CallNoun} */ one) => one.guests.some(({ id, joined }) => joined && id === you.person.id);
  return isIn(before) && !isIn(call);
}

/**
 * What a call taken up again brings along from before.
 * @param {State} state
 * @param {Pick<import("./protocol.js").OkMessage, "call" | "chat" | "read" | "files" | "steps">} told
 * @returns {State}
 */
function withPast(state, { call, chat = [], read, files = [], steps = null }) {
  if (state.call === null || state.call.id !== call?.id) return state;
  const whole = chat.reduce(withChat, withSteps(state, steps));
  const seen = read ? withRead(withRead(whole, "counter", read.counter), "desk", read.desk) : whole;
  if (files.length === 0) return seen;
  // What came by itself is at least as new.
  return { ...seen, files: { ...Object.fromEntries(files.map((file) => [file.id, file])), ...seen.files } };
}

/** @param {CallNoun} call */
function inQueue(call) {
  return call.state === "waiting" || call.state === "ringing";
}

/** @param {State} state @param {ChatNoun} message @returns {State} */
function withChat(state, message) {
  const pending = state.pending.filter((draft) => draft.id !== message.id);
  if (state.chat.some((m) => m.number === message.number)) return { ...state, pending };
  const chat = [...state.chat, message].sort((a, b) => a.number - b.number);
  return { ...state, chat, pending };
}

/** What a third party has read is nobody's concern. @param {State} state @param {string} party @param {number} number @returns {State} */
function withRead(state, party, number) {
  if ((party !== "counter" && party !== "desk") || number <= state.read[party]) return state;
  return { ...state, read: { ...state.read, [party]: number } };
}

/** Note a draft as on its way (again). @param {State} state @param {string} id @param {string} text @returns {State} */
export function draftSent(state, id, text) {
  const others = state.pending.filter((draft) => draft.id !== id);
  return { ...state, pending: [...others, { id, text, state: "sending", code: null }] };
}

/** Note a draft as refused. @param {State} state @param {string} id @param {string} code @returns {State} */
export function draftFailed(state, id, code) {
  const pending = state.pending.map((draft) =>
    draft.id === id ? { ...draft, state: /** @type {const} */ ("failed"), code } : draft,
  );
  return { ...state, pending };
}

/** Forget a draft. @param {State} state @param {string} id @returns {State} */
export function draftDropped(state, id) {
  return { ...state, pending: state.pending.filter((draft) => draft.id !== id) };
}

/** Clear the screen of a call that is closed. @param {State} state @returns {State} */
export function dismissed(state) {
  if (state.call?.state !== "closed") return state;
  return { ...state, ...NO_CALL };
}
