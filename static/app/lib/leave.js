/**
 * A page that goes away says so at once, and comes back when the browser kept it.
 *
 *     const off = leaveWith({connection, onReturn: () => …});
 */

/**
 * @param {object} options
 * @param {Pick<import("./connection.js").Connection, "start" | "stop" | "status">} options.connection
 * @param {() => void} [options.onReturn] after the page came back from the browser's cache
 * @param {EventTarget} [options.scope]
 * @returns {() => void}
 */
export function leaveWith({ connection, onReturn, scope = globalThis }) {
  let left = false;
  const leave = () => {
    left = connection.status.state !== "stopped";
    connection.stop();
  };
  const come = (/** @type {Event} */ event) => {
    if (!(/** @type {PageTransitionEvent} */ (event).persisted) || !left) return;
    left = false;
    connection.start();
    onReturn?.();
  };
  scope.addEventListener("pagehide", leave);
  scope.addEventListener("pageshow", come);
  return () => {
    scope.removeEventListener("pagehide", leave);
    scope.removeEventListener("pageshow", come);
  };
}
