/**
 * The one place where pages meet Preact, htm and signals.
 * Importing signals.js makes every component follow the signals that it reads.
 */
import htm from "../../vendor/htm.js";
import { h } from "../../vendor/preact.js";

export { render } from "../../vendor/preact.js";
export { useEffect, useRef, useState } from "../../vendor/preact-hooks.js";
export { computed, effect, signal, untracked } from "../../vendor/signals.js";

/** Template tag that gives Preact nodes. */
export const html = htm.bind(h);

/** @typedef {any} Node what a component returns; htm's templates are not typed */
/** @template T @typedef {{value: T, peek: () => T}} Signal what a component reads; the library's signals fit */
