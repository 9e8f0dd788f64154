/**
 * The steps of a call as both pages draw them, read off the noun `steps` (PROTOCOL.md section 1). Pure.
 *
 *     const lines = linesOf(noun);              // one per step, numbered, each need with its step
 *     picked = afterChange(picked, lines, before); // which one is open at the desk
 *     lacksOf(noun); tilesOf(lines, files, asked); stillLock(call, line); nextLock(lines, picked)
 *     instructionOf(noun)                       // what the resident is told, with the code
 *     clerkLists(noun)                          // what the clerk ticks
 *     answersOf(noun, before)                   // what seniors have answered meanwhile
 */

/**
 * @typedef {import("./protocol.js").StepsNoun} StepsNoun
 * @typedef {import("./protocol.js").NeedNoun & {step: string}} Need
 * @typedef {Omit<import("./protocol.js").StepNoun, "needs"> & {number: number, needs: Need[]}} Line
 * @typedef {import("./protocol.js").FileNoun} FileNoun
 * @typedef {import("./protocol.js").Both} Both
 * @typedef {Need & {number: number}} Lack a need of the step with that number
 */

/** @param {StepsNoun | null} noun @returns {Line[]} */
export function linesOf(noun) {
  return (noun?.steps ?? []).map((step, index) => ({
    ...step,
    number: index + 1,
    needs: step.needs.map((need) => ({ ...need, step: step.id })),
  }));
}

/** What keeps the decision locked, in the order of the steps. @param {StepsNoun | null} noun @returns {Lack[]} */
export function lacksOf(noun) {
  const lines = linesOf(noun);
  return (noun?.missing ?? []).flatMap(({ step, need }) => {
    const line = lines.find(({ id }) => id === step);
    const found = line?.needs.find((one) => one.need === need);
    return line && found ? [{ ...found, number: line.number }] : [];
  });
}

/** @param {readonly Line[]} lines @returns {string | null} */
const firstUndone = (lines) => lines.find(({ state }) => state === "now")?.id ?? lines.find(({ state }) => state !== "done")?.id ?? null;

/**
 * Which step is open at the desk after a change: the one that was, until the desk goes on; another when
 * a step before it opened again.
 * @param {string | null} picked
 * @param {readonly Line[]} lines
 * @param {readonly Line[]} before
 * @returns {string | null}
 */
export function afterChange(picked, lines, before) {
  if (lines.length === 0) return null;
  const first = firstUndone(lines);
  const at = lines.findIndex(({ id }) => id === picked);
  if (at < 0) return first ?? lines[lines.length - 1].id;
  const reopened = lines.slice(0, at).some(({ id, state }) => state !== "done" && before.some((old) => old.id === id && old.state === "done"));
  return reopened ? first : picked;
}

/** Whether something of a step was done. @param {Line} line */
const touched = ({ needs }) =>
  needs.some((need) => need.done || need.bound?.length || need.items?.some(({ on }) => on) || need.documents?.shown.length);

/**
 * The steps that opened again after an interruption and are not done yet: those seen to, those known from before, and
 * those that come before a step of which something was done, so that a page that was loaded anew knows them too.
 * @param {readonly Line[]} lines
 * @param {readonly Line[]} before
 * @param {readonly string[]} known
 * @returns {string[]} ids
 */
export function reopenedOf(lines, before, known) {
  const was = (/** @type {string} */ id) => before.some((old) => old.id === id && old.state === "done");
  return lines
    .filter(({ reopens, state }) => reopens && state !== "done")
    .filter(({ id, number }) => known.includes(id) || was(id) || lines.some((later) => later.number > number && touched(later)))
    .map(({ id }) => id);
}

/** The later steps that may be worked on. @param {readonly Line[]} lines @param {string | null} picked */
const openAfter = (lines, picked) =>
  lines.slice(lines.findIndex(({ id }) => id === picked) + 1).filter(({ state }) => state === "now" || state === "open");

/** The step to go on to, or null when all are done. @param {readonly Line[]} lines @param {string | null} picked */
export const nextOf = (lines, picked) => openAfter(lines, picked)[0]?.id ?? firstUndone(lines);

/**
 * Whether the desk cannot go on yet: the open step is not done, and none after it may begin meanwhile (as it may while a
 * senior is asked about documents).
 * @param {readonly Line[]} lines
 * @param {string | null} picked
 */
export function nextLocked(lines, picked) {
  return lines.find(({ id }) => id === picked)?.state !== "done" && openAfter(lines, picked).length === 0;
}

/**
 * One picture of the tray: taken, on its way, asked for, or still wanted.
 * @typedef {object} Tile
 * @property {string} key
 * @property {number} number of the step
 * @property {Both} what
 * @property {"taken" | "arriving" | "refused" | "asked" | "wanted"} state
 * @property {FileNoun | null} file
 * @property {Need} need
 */

/**
 * The pictures of all steps, in their order; `asked` names the files that are awaited, by place ("step/need").
 * @param {readonly Line[]} lines
 * @param {Readonly<Record<string, FileNoun>>} files by id
 * @param {Readonly<Record<string, string>>} asked
 * @returns {Tile[]}
 */
export function tilesOf(lines, files, asked) {
  return lines.flatMap((line) =>
    line.needs.filter(({ kind }) => kind === "still").flatMap((need) => tilesOfNeed(line, need, files, asked[placeOf(need)])),
  );
}

/** @param {Line} line @param {Need} need @param {Readonly<Record<string, FileNoun>>} files @param {string | undefined} awaited */
function tilesOfNeed(line, need, files, awaited) {
  const what = /** @type {Both} */ (need.words);
  const tile = (/** @type {string} */ key, /** @type {Tile["state"]} */ state, /** @type {FileNoun | null} */ file = null) => ({
    key: `${placeOf(need)}/${key}`,
    number: line.number,
    what,
    state,
    file,
    need,
  });
  const taken = (need.bound ?? []).map((id) => tile(id, "taken", files[id] ?? null));
  const open = Math.max(0, (need.at_least ?? 1) - taken.length);
  const rest = Array.from({ length: open }, (_, index) => tile(`open-${index}`, "wanted"));
  if (!awaited) return [...taken, ...rest];
  const file = Object.values(files).find(({ name, from }) => name === awaited && from === "counter");
  const coming = tile("asked", stateOfAwaited(file), file ?? null);
  return [...taken, coming, ...rest.slice(1)];
}

/** @param {FileNoun | undefined} file @returns {Tile["state"]} */
function stateOfAwaited(file) {
  if (!file) return "asked";
  return file.state === "refused" || file.state === "withdrawn" ? "refused" : "arriving";
}

/** A place of the template in one word. @param {{step: string, need: number}} place */
export const placeOf = ({ step, need }) => `${step}/${need}`;

/**
 * The still that the key of the tools asks for: of the open step what is wanted first, else its last one again, else null.
 * @param {Line | undefined} line
 */
export function stillWanted(line) {
  const stills = (line?.needs ?? []).filter(({ kind }) => kind === "still");
  return stills.find(({ done }) => !done) ?? stills.at(-1) ?? null;
}

/**
 * Why no still can be asked for now, as the end of a key of the words, or null.
 * @param {import("./protocol.js").CallNoun} call
 * @param {boolean} connected
 * @param {Line | undefined} line
 */
export function stillLock(call, connected, line) {
  if (!connected || (call.state !== "talking" && call.state !== "deciding")) return "line";
  if (call.veiled) return "veiled";
  if (call.parties.counter.camera !== "on") return "camera";
  if (!stillWanted(line)) return "step";
  return line?.state === "locked" ? "later" : null;
}

/**
 * What goes with the documents that the desk can note: where a rule knows it or it stands already.
 * @param {import("./protocol.js").DocumentsNoun} documents
 * @returns {("pin" | "notice")[]}
 */
export function grantsOf(documents) {
  const both = /** @type {const} */ (["pin", "notice"]);
  return both.filter((what) => documents[what] || documents.ways.some((way) => way[what]));
}

/**
 * What the resident is told now: the step's words and the code that is to be read aloud; null without a step.
 * @param {StepsNoun | null} noun
 * @returns {{id: string, number: number, of: number, now: Both, code: string | null} | null}
 */
export function instructionOf(noun) {
  const lines = linesOf(noun);
  const line = lines.find(({ id }) => id === noun?.current);
  if (!line) return null;
  const code = line.needs.find(({ kind }) => kind === "code")?.code?.code ?? null;
  return { id: line.id, number: line.number, of: lines.length, now: line.now, code };
}

/** The lists that the clerk ticks, with the step whose turn it has to be. @param {StepsNoun | null} noun */
export function clerkLists(noun) {
  return linesOf(noun).flatMap((line) =>
    line.needs
      .filter(({ kind, by }) => kind === "tick" && by === "counter")
      .map((need) => ({ need, title: line.title, open: line.state !== "locked" })),
  );
}

/** The confirmations that a senior has answered between two pictures of the same call. @param {StepsNoun | null} now @param {StepsNoun | null} before */
export function answersOf(now, before) {
  if (!now || now.call !== before?.call) return [];
  const known = new Set(before.approvals.map(({ answered_at }) => answered_at));
  return now.approvals.filter(({ answered_at }) => answered_at !== null && !known.has(answered_at));
}
