/**
 * What the officer's page makes of a policy: groups, a change being drawn up, fields of a form.
 * Nothing here draws or asks the server.
 */

/** @typedef {{ja: string, en: string}} Both */
/** @typedef {{value: string, name: Both}} Choice */
/** @typedef {{asked: number, refused: number}} Count */
/**
 * @typedef {object} Setting one setting, as `GET /api/v1/policy` shows it
 * @property {string} key
 * @property {Both} name
 * @property {Both} protects
 * @property {string} source
 * @property {string} enforced
 * @property {boolean} in_effect false while nothing is built yet that it governs
 * @property {Both | null} waits why it has no effect yet
 * @property {Both} unit
 * @property {Choice[]} choices
 * @property {boolean} many
 * @property {number | null} minimum
 * @property {number | null} maximum
 * @property {boolean} must_set
 * @property {any} value
 * @property {Both} words
 * @property {any} baseline
 * @property {Both} baseline_words
 * @property {boolean} set_here
 * @property {"same" | "looser" | "stricter" | "different" | "to_set"} standing
 * @property {string} clause
 * @property {{reason: string, until: string} | null} looser
 * @property {Record<string, Count> | null} counts null: the gate never asks it, it is a value that something works by
 */
/** @typedef {{key: string, title: Both, settings: Setting[]}} Section */
/** @typedef {{number: number, since: string | null, rescued: boolean, sections: Section[], unset: string[], offices: {id: string, name: string}[], people: {id: string, name: string, role: string}[]}} Policy */
/** @typedef {{value?: any, clause?: string, reason?: string, until?: string}} Edit */
/** @typedef {Record<string, Edit>} Edits */

/** How settings are put in order: what deviates first. */
export const GROUPS = /** @type {const} */ (["looser", "to_set", "stricter", "different", "same"]);

/** @param {Policy} policy @returns {Setting[]} */
export const settingsOf = (policy) => policy.sections.flatMap((section) => section.settings);

/** Settings by standing, in the order of GROUPS. @param {Policy} policy @returns {Map<string, Setting[]>} */
export function grouped(policy) {
  const groups = new Map(GROUPS.map((name) => [/** @type {string} */ (name), /** @type {Setting[]} */ ([])]));
  for (const setting of settingsOf(policy)) groups.get(setting.standing)?.push(setting);
  return groups;
}

/** How many settings of a section differ from the baseline. @param {Section} section */
export const deviating = (section) => section.settings.filter((one) => one.standing !== "same").length;

/** How often the settings of a list refused in so many days. @param {Setting[]} settings @param {number} days */
export const refusals = (settings, days) =>
  settings.reduce((sum, one) => sum + (one.counts?.[String(days)]?.refused ?? 0), 0);

/** Which form field a setting needs. @param {Setting} setting @returns {"choices" | "choice" | "number" | "lines" | "tables" | "text"} */
export function fieldOf(setting) {
  if (setting.many && setting.choices.length) return "choices";
  if (setting.choices.length) return "choice";
  if (setting.minimum !== null) return "number";
  if (setting.key === "network.sources") return "tables";
  return setting.many ? "lines" : "text";
}

/** What stands in a field for a value. @param {Setting} setting @param {any} value */
export function toField(setting, value) {
  const field = fieldOf(setting);
  if (field === "lines") return (value ?? []).join("\n");
  if (field === "tables") return (value ?? []).map(sourceLine).join("\n");
  if (field === "choices") return [...(value ?? [])];
  return value === null || value === undefined ? "" : String(value);
}

/** The value that a field's content stands for. @param {Setting} setting @param {any} content @returns {any} */
export function fromField(setting, content) {
  const field = fieldOf(setting);
  if (field === "lines") return lines(content);
  if (field === "tables") return lines(content).map(sourceOf);
  if (field === "choices") return setting.choices.map((one) => one.value).filter((one) => content.includes(one));
  if (field !== "number") return content;
  const text = String(content).trim();
  if (text === "") return null;
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** @param {string} text */
const lines = (text) =>
  text
    .split(/[\n,、]/)
    .map((line) => line.trim())
    .filter(Boolean);

/** One row of network.sources in a line: `clerk verifier: 192.0.2.0/24 2001:db8::/32`. @param {any} source */
function sourceLine(source) {
  const who = [...(source.roles ?? []), ...(source.offices ?? []).map((/** @type {string} */ id) => `@${id}`)].join(" ");
  return `${who ? `${who} = ` : ""}${source.networks.join(" ")}`;
}

/** @param {string} line */
function sourceOf(line) {
  const [left, right] = line.includes("=") ? line.split("=", 2) : ["", line];
  const who = left.split(/\s+/).filter(Boolean);
  const roles = who.filter((one) => !one.startsWith("@"));
  const offices = who.filter((one) => one.startsWith("@")).map((one) => one.slice(1));
  return {
    networks: right.split(/\s+/).filter(Boolean),
    ...(roles.length ? { roles } : {}),
    ...(offices.length ? { offices } : {}),
  };
}

/** The body of a draft. @param {Edits} edits @param {string} note */
export function draftOf(edits, note) {
  /** @type {Record<string, any>} */
  const values = {};
  /** @type {Record<string, string>} */
  const clauses = {};
  /** @type {Record<string, {reason: string, until: string}>} */
  const looser = {};
  for (const [key, edit] of Object.entries(edits)) {
    if (edit.value !== undefined) values[key] = edit.value;
    if (edit.clause !== undefined) clauses[key] = edit.clause;
    if (edit.reason && edit.until) looser[key] = { reason: edit.reason, until: edit.until };
  }
  return { note, values, clauses, looser };
}

/** What of an edit is really another thing than what is in force; null when nothing is. @param {Setting} setting @param {Edit} edit @returns {Edit | null} */
export function realEdit(setting, edit) {
  /** @type {Edit} */
  const real = {};
  if (edit.value !== undefined && JSON.stringify(edit.value) !== JSON.stringify(setting.value)) real.value = edit.value;
  if (edit.clause !== undefined && edit.clause !== setting.clause) real.clause = edit.clause;
  const known = setting.looser;
  if (edit.reason && edit.until && (edit.reason !== known?.reason || edit.until !== known.until)) {
    real.reason = edit.reason;
    real.until = edit.until;
  }
  return Object.keys(real).length ? real : null;
}
