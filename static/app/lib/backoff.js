/**
 * How long to wait before trying again. Pure.
 */

/** Seconds before the first, second, … further try. */
export const RECONNECT_SECONDS = Object.freeze([0.25, 0.5, 1, 2, 4]);

/**
 * Milliseconds to wait before try number `attempt` (from 0): the listed time plus up to 30 %,
 * so that a hundred pages do not come back in the same instant.
 * @param {number} attempt
 * @param {number} random 0 to 1
 * @param {readonly number[]} [seconds]
 */
export function backoffMs(attempt, random, seconds = RECONNECT_SECONDS) {
  const base = seconds[Math.min(attempt, seconds.length - 1)];
  return Math.round(base * 1000 * (1 + 0.3 * random));
}
