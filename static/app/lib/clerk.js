/**
 * A clerk signs in on the tablet by PIN (PROTOCOL.md section 5.3): who, the PIN, and with a first PIN the own one, twice.
 *
 *     const clerk = createClerkSignIn({api, now: store.serverNow, done: (you) => …});
 *     await clerk.load(); clerk.choose(one); clerk.type("730184"); await clerk.submit();
 *
 * `change()` has the own PIN changed: the present one is asked for, then the new one twice.
 *
 * Signals: `clerks` (null until known), `who`, `step`, `typed`, `error` (a code, "short" or "differ"), `reasons` of a weak
 * PIN, `waitUntil` (ms of `now`; 0: no wait), `busy`, `changing`. A PIN is forgotten as soon as it was answered.
 */
import { signal } from "../../vendor/signals-core.js";
import { ServerError } from "./errors.js";

/** The same limits as security/pin_rule.py. */
export const MIN_DIGITS = 6;
export const MAX_DIGITS = 12;

/**
 * @typedef {{id: string, name: string, pin: boolean}} Clerk
 * @typedef {"who" | "pin" | "new" | "again"} Step
 * @typedef {ReturnType<typeof createClerkSignIn>} ClerkSignIn
 */

/**
 * @param {object} options
 * @param {{get: (path: string) => Promise<any>, post: (path: string, body: unknown) => Promise<any>}} options.api
 * @param {() => number} options.now ms
 * @param {(you: import("./protocol.js").CounterYou) => void} [options.done]
 */
export function createClerkSignIn({ api, now, done = () => {} }) {
  const clerks = signal(/** @type {Clerk[] | null} */ (null));
  const who = signal(/** @type {Clerk | null} */ (null));
  const step = signal(/** @type {Step} */ ("who"));
  const typed = signal("");
  const error = signal(/** @type {string | null} */ (null));
  const reasons = signal(/** @type {string[]} */ ([]));
  const waitUntil = signal(0);
  const busy = signal(false);
  const changing = signal(false);
  let first = "";
  let chosen = "";

  /** @param {Step} next @param {string | null} [code] @param {string[]} [why] */
  function go(next, code = null, why = []) {
    step.value = next;
    typed.value = "";
    error.value = code;
    reasons.value = why;
    if (next === "who" || next === "pin") first = "";
    if (next !== "again") chosen = "";
    if (next === "who") changing.value = false;
  }

  /** @param {Record<string, string>} body */
  async function post(body) {
    busy.value = true;
    try {
      const { you } = await api.post("clerk", { clerk: who.value?.id, ...body });
      waitUntil.value = 0;
      go("who");
      done(you);
    } catch (failure) {
      refused(failure instanceof ServerError ? failure : new ServerError("internal"), body);
    }
    busy.value = false;
  }

  /** @param {ServerError} failure @param {Record<string, string>} body */
  function refused(failure, body) {
    const { code } = failure;
    if (code === "pin_change") {
      go("new");
      first = body.pin;
    } else if (code === "weak_pin") {
      const kept = first;
      const why = failure.reasons.map((reason) => reason.code);
      go("new", code, why);
      first = kept;
    } else {
      if (code === "pin_wait") waitUntil.value = now() + failure.limit * 1000;
      go("pin", code);
    }
  }

  return {
    clerks,
    who,
    step,
    typed,
    error,
    reasons,
    waitUntil,
    busy,
    changing,
    /** The PIN that is asked for next is only the present one, to be changed; or no longer. */
    change() {
      const changes = !changing.value;
      go("pin");
      changing.value = changes;
    },
    async load() {
      try {
        clerks.value = (await api.get("clerks")).clerks;
        error.value = null;
      } catch (failure) {
        error.value = failure instanceof ServerError ? failure.code : "internal";
      }
    },
    /** @param {Clerk} clerk */
    choose(clerk) {
      if (!clerk.pin) return;
      who.value = clerk;
      waitUntil.value = 0;
      go("pin");
    },
    /** What has been typed by now, as a whole; anything but digits is left out. @param {string} text */
    type(text) {
      typed.value = text.normalize("NFKC").replace(/[^0-9]/g, "").slice(0, MAX_DIGITS);
      error.value = null;
    },
    back: () => go("who"),
    async submit() {
      const pin = typed.value;
      if (busy.value || now() < waitUntil.value) return;
      if (pin.length < MIN_DIGITS) error.value = "short";
      else if (step.value === "pin" && changing.value) {
        go("new");
        first = pin;
      } else if (step.value === "pin") await post({ pin });
      else if (step.value === "new") {
        go("again");
        chosen = pin;
      } else if (pin === chosen) await post({ pin: first, new_pin: pin });
      else {
        const kept = first;
        go("new", "differ");
        first = kept;
      }
    },
  };
}
