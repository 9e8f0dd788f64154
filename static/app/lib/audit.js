/** What a search of the audit log asks for: its address, its form's fields, older entries. */

/** @typedef {{from: string, to: string, action: string, call: string, person: string, office: string, refused: boolean}} Fields days as a date field has them, "" for any */

/** The local day of an instant. @param {string | null} instant */
function dayOf(instant) {
  const at = new Date(instant ?? "");
  if (Number.isNaN(at.getTime())) return "";
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** What stands in the form of a search. @param {string} query @returns {Fields} */
export function fieldsOf(query) {
  const given = new URLSearchParams(query);
  const text = (/** @type {string} */ key) => given.get(key) ?? "";
  const [from, to] = [dayOf(given.get("from")), dayOf(given.get("to"))];
  const refused = given.get("refused") === "1";
  return { from, to, action: text("action"), call: text("call"), person: text("person"), office: text("office"), refused };
}

/** The search that a form asks for, `query` being the one it was filled from. @param {Fields} fields @param {string} query */
export function queryOf(fields, query) {
  const given = new URLSearchParams(query);
  const was = fieldsOf(query);
  const asked = new URLSearchParams();
  /** A day that was left alone stays the instant it was: a link may ask for the last 24 hours. @param {"from" | "to"} key @param {string} time */
  const day = (key, time) => {
    if (!fields[key]) return;
    const kept = fields[key] === was[key] ? given.get(key) : null;
    asked.set(key, kept ?? new Date(`${fields[key]}T${time}`).toISOString());
  };
  day("from", "00:00");
  day("to", "23:59:59");
  for (const key of /** @type {const} */ (["action", "call", "person", "office"])) {
    if (fields[key].trim()) asked.set(key, fields[key].trim());
  }
  if (fields.refused) asked.set("refused", "1");
  const setting = given.get("setting");
  if (setting) asked.set("setting", setting);
  return String(asked);
}

/** The same search, of entries before one. @param {string} query @param {number} position */
export function olderThan(query, position) {
  const asked = new URLSearchParams(query);
  asked.set("before", String(position));
  return String(asked);
}
