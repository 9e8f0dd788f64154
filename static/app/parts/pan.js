/** Moving an enlarged picture within its box, by dragging or by the arrow keys. */
import { useEffect, useRef } from "./html.js";
import { arrowMove, holdInside } from "./zoom.js";

/** `box` and `picture` are set by who draws them; a new picture is put in its place by the next move. @param {number} zoom */
export function usePan(zoom) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = useRef(/** @type {HTMLElement | null} */ (null));
  const offset = useRef({ x: 0, y: 0 });
  /** @param {{x: number, y: number}} to */
  const move = (to) => {
    if (!box.current || !picture.current) return;
    offset.current = holdInside(to, zoom, box.current.getBoundingClientRect());
    const { x, y } = offset.current;
    picture.current.style.transform = zoom === 1 ? "" : `translate(${x}px, ${y}px) scale(${zoom})`;
  };
  useEffect(() => move(zoom === 1 ? { x: 0, y: 0 } : offset.current), [zoom]);
  return {
    box,
    picture,
    /** @param {PointerEvent} event */
    drag: (event) => {
      if (event.buttons !== 1 || zoom === 1) return;
      event.preventDefault();
      move({ x: offset.current.x + event.movementX, y: offset.current.y + event.movementY });
    },
    /** @param {KeyboardEvent} event */
    key: (event) => {
      const to = zoom > 1 && box.current && arrowMove(event.key, offset.current, box.current.getBoundingClientRect());
      if (!to) return;
      event.preventDefault();
      move(to);
    },
  };
}
