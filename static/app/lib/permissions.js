/**
 * Whether the person allows camera and microphone, followed while the page lives.
 *
 *     const allowed = followPermissions();
 *     allowed.camera.value        // "granted", "denied", "prompt"; "unknown" where browsers do not say
 */
import { signal } from "../../vendor/signals-core.js";

/** @typedef {"granted" | "denied" | "prompt" | "unknown"} Permission */

/** @param {Pick<Permissions, "query"> | undefined} [permissions] */
export function followPermissions(permissions = globalThis.navigator?.permissions) {
  /** @param {"camera" | "microphone"} name */
  const follow = (name) => {
    const state = signal(/** @type {Permission} */ ("unknown"));
    const ask = async () => {
      const status = await permissions?.query({ name: /** @type {any} */ (name) });
      if (!status) return;
      state.value = status.state;
      status.onchange = () => (state.value = status.state);
    };
    // Not every browser answers for these names.
    ask().catch(() => {});
    return state;
  };
  return { camera: follow("camera"), microphone: follow("microphone") };
}
