/**
 * Looking closer at the live picture: 1, 2 or 4 times, moved by dragging or by the arrow keys.
 * Only the drawing is enlarged; what is sent and kept does not change.
 */

/** @typedef {{x: number, y: number}} Point offset of the picture in px of the box */

export const STEPS = Object.freeze([1, 2, 4]);

/** The next enlargement, back to 1 after the last. @param {number} zoom */
export const nextZoom = (zoom) => STEPS[(STEPS.indexOf(zoom) + 1) % STEPS.length];

/**
 * Keep the enlarged picture over its box.
 * @param {Point} offset
 * @param {number} zoom
 * @param {{width: number, height: number}} box
 * @returns {Point}
 */
export function holdInside({ x, y }, zoom, { width, height }) {
  const most = { x: (width * (zoom - 1)) / 2, y: (height * (zoom - 1)) / 2 };
  const hold = (/** @type {number} */ value, /** @type {number} */ limit) =>
    Math.min(limit, Math.max(-limit, value));
  return { x: hold(x, most.x), y: hold(y, most.y) };
}

/** Step of an arrow key, as a share of the box. */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * Where an arrow key moves the picture, or null for another key.
 * @param {string} key
 * @param {Point} offset
 * @param {{width: number, height: number}} box
 * @returns {Point | null}
 */
export function arrowMove(key, offset, box) {
  const step = ARROWS[/** @type {keyof typeof ARROWS} */ (key)];
  if (!step) return null;
  return { x: offset.x + step[0] * box.width * 0.1, y: offset.y + step[1] * box.height * 0.1 };
}
