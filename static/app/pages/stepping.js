/** The steps of the call at the desk: what is drawn of them, which one is open, and what the desk does about them. */
import { afterChange, lacksOf, linesOf, nextLocked, nextOf, placeOf, reopenedOf, stillLock, stillWanted, tilesOf } from "../lib/steps.js";
import { computed, effect, signal, untracked } from "../parts/html.js";
import { t } from "../parts/words.js";
import { onChange } from "./follow.js";

/** @typedef {import("../lib/steps.js").Need} Need */
/** @typedef {import("../lib/steps.js").Line} Line */
/** @typedef {import("./wire.js").Wired} Wired */

/** A picture that has not come by then is not waited for any more. */
const STILL_MS = 60_000;

/** What is drawn: the lines, the open one, what is missing; follows what the server tells. @param {Wired} wired */
function drawing({ app }) {
  const { store } = app;
  const noun = computed(() => {
    const steps = store.steps.value;
    return steps && steps.call === store.call.value?.id ? steps : null;
  });
  const lines = computed(() => linesOf(noun.value));
  const current = signal(/** @type {string | null} */ (null));
  const reopened = signal(/** @type {readonly string[]} */ ([]));
  let before = /** @type {readonly Line[]} */ ([]);
  effect(() => {
    const now = lines.value;
    untracked(() => {
      current.value = afterChange(current.peek(), now, before);
      const known = reopened.peek();
      const again = reopenedOf(now, before, known);
      before = now;
      if (again.join() !== known.join()) reopened.value = again;
      if (!again.some((id) => !known.includes(id))) return;
      const names = now.filter(({ id }) => again.includes(id)).map(({ number }) => number);
      queueMicrotask(() => app.voice.now(t("steps.again", { names: names.join("・") })));
    });
  });
  return {
    noun,
    lines,
    current,
    reopened,
    lacks: computed(() => lacksOf(noun.value)),
    shown: computed(() => lines.value.flatMap(({ needs }) => needs.flatMap(({ documents }) => documents?.shown ?? []))),
    /** @param {string} id */
    pick: (id) => {
      current.value = id;
      requestAnimationFrame(() => document.getElementById(`step-${id}`)?.focus());
    },
    next: () => {
      if (nextLocked(lines.peek(), current.peek())) return;
      const next = nextOf(lines.peek(), current.peek());
      if (next) current.value = next;
      else /** @type {HTMLElement | null} */ (document.querySelector(".decide .yes"))?.focus();
    },
  };
}

/** Pictures: asked of the tablet, bound to their step when they have come. @param {Wired} wired @param {ReturnType<typeof drawing>} drawn */
function stills({ app, connection, ask, complain }, { lines, current }) {
  const { store } = app;
  const asked = signal(/** @type {Readonly<Record<string, {name: string, at: number, need: Need}>>} */ ({}));
  const line = computed(() => lines.value.find(({ id }) => id === current.value));
  const lock = computed(() => {
    const call = store.call.value;
    const why = call ? stillLock(call, store.connection.value.state === "open", line.value) : "line";
    return why && `still.lock.${why}`;
  });
  /** @param {string} place */
  const forget = (place) => {
    asked.value = Object.fromEntries(Object.entries(asked.peek()).filter(([one]) => one !== place));
  };
  /** @param {Need} need */
  const still = async (need) => {
    try {
      const { name } = /** @type {{name: string}} */ (/** @type {unknown} */ (await connection.send("step.still", { step: need.step, need: need.need })));
      asked.value = { ...asked.peek(), [placeOf(need)]: { name, at: app.now.peek(), need } };
    } catch (error) {
      complain(error);
    }
  };
  onChange(
    () => store.call.value?.id,
    () => (asked.value = {}),
  );
  effect(() => {
    const files = Object.values(store.files.value);
    for (const [place, { name, at, need }] of Object.entries(asked.value)) {
      const file = files.find((one) => one.name === name && one.from === "counter");
      const late = app.now.value - at > STILL_MS;
      if (file?.state === "offered") {
        untracked(() => forget(place));
        void ask("step.bind", { step: need.step, need: need.need, file: file.id, on: true });
      } else if (late && file?.state !== "arriving" && file?.state !== "checking") untracked(() => forget(place));
    }
  });
  const awaited = computed(() => Object.fromEntries(Object.entries(asked.value).map(([place, { name }]) => [place, name])));
  return {
    stillLock: lock,
    still,
    tiles: computed(() => tilesOf(lines.value, store.files.value, awaited.value)),
    /** What Alt+S does. */
    stillNow: () => {
      const need = stillWanted(line.peek());
      if (need && !lock.peek()) void still(need);
    },
  };
}

/** @param {Wired} wired */
export function stepping(wired) {
  const { ask } = wired;
  const drawn = drawing(wired);
  const asking = signal(/** @type {import("../lib/protocol.js").ApprovalNoun["about"] | null} */ (null));
  const at = (/** @type {Need} */ { step, need }) => ({ step, need });
  return {
    ...drawn,
    ...stills(wired, drawn),
    /** @param {Need} need @param {number} item @param {boolean} on */
    tick: (need, item, on) => void ask("step.tick", { ...at(need), item, on }),
    /** @param {Need} need @param {string} text */
    answer: (need, text) => void ask("step.answer", { ...at(need), text }),
    /** @param {Need} need */
    draw: (need) => void ask("step.draw", at(need)),
    /** @param {Need} need @param {string} file @param {boolean} on */
    bind: (need, file, on) => void ask("step.bind", { ...at(need), file, on }),
    /** @param {Need} need @param {{kind: string, expires: string | null, on: boolean}} document */
    document: (need, document) => void ask("step.document", { ...at(need), ...document }),
    /** @param {Need} need @param {"pin" | "notice"} what @param {boolean} on */
    grant: (need, what, on) => void ask("step.grant", { ...at(need), what, on }),
    /** @param {Need} need @param {string} code */
    code: (need, code) => void ask("step.code", { ...at(need), code }),
    /** @param {{document: string, tool: string, result: import("../lib/protocol.js").ChipNoun["result"]}} chip */
    chip: (chip) => void ask("step.chip", chip),
    /** @param {string} call */
    takeOver: (call) => void ask("step.take-over", { call }),
    asking,
    putAway: () => void (asking.value = null),
    /** @param {import("../lib/protocol.js").ApprovalNoun["about"]} about @param {string} reason */
    askApproval: async (about, reason) => {
      if (await ask("approval.ask", { about, reason })) asking.value = null;
    },
  };
}
