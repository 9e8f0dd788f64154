/** The name of a procedure, and how a call about it may end. */
import { language } from "./words.js";

/**
 * The name in the reader's language; the id while the names are not there.
 * @param {Pick<import("./model.js").CallApp, "procedures">} app
 * @param {string} id
 */
export const procedureName = (app, id) => app.procedures.value.find((one) => one.id === id)?.name[language()] ?? id;

/**
 * The outcomes of a procedure in the order of its list; none while the list is not there.
 * @param {Pick<import("./model.js").CallApp, "procedures">} app
 * @param {string} id
 */
export const outcomesOf = (app, id) => app.procedures.value.find((one) => one.id === id)?.outcomes ?? [];
