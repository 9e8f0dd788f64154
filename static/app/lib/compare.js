/**
 * Which stills stand beside the live picture to be compared: one, or two. Pure.
 *
 *     const tiles = takenOf(tilesOf(lines, files, asked));
 *     keys = toggled(keys, tiles);      // Alt+C: the newest, or none
 *     keys = withTile(keys, key);       // a still of the tray is pressed
 *     shownOf(keys, tiles);             // what is drawn: a still that was put aside is not
 */

/** @typedef {import("./steps.js").Tile} Tile */

const MOST = 2;

/** Stills that have come, in the order of the steps. @param {readonly Tile[]} tiles */
export const takenOf = (tiles) => tiles.filter(({ state, file }) => state === "taken" && file !== null);

/** What of `keys` is still there. @param {readonly string[]} keys @param {readonly Tile[]} tiles of `takenOf` */
export const shownOf = (keys, tiles) => keys.flatMap((key) => tiles.filter((tile) => tile.key === key));

/** Begin with the newest still, or end. @param {readonly string[]} keys @param {readonly Tile[]} tiles of `takenOf` @returns {string[]} */
export function toggled(keys, tiles) {
  const newest = tiles.at(-1);
  return shownOf(keys, tiles).length || !newest ? [] : [newest.key];
}

/** Put a still beside, or take it away again; of more than two the one that came first goes. @param {readonly string[]} keys @param {string} key @returns {string[]} */
export function withTile(keys, key) {
  if (keys.includes(key)) return keys.filter((one) => one !== key);
  return [...keys, key].slice(-MOST);
}
