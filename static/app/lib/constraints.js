/**
 * What is asked of cameras and microphones, and what their refusals mean. Pure.
 */

/**
 * @typedef {object} Wanted
 * @property {boolean} audio
 * @property {boolean} video
 * @property {string} [microphoneId]
 * @property {string} [cameraId]
 * @property {"user" | "environment"} [facing]
 */

/** A microphone against an open loudspeaker. @param {Wanted} wanted @returns {MediaTrackConstraints} */
export function audioConstraints(wanted) {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(wanted.microphoneId ? { deviceId: { exact: wanted.microphoneId } } : {}),
  };
}

/** 1280×720 at 30, ideal only: a lesser camera is better than none. @param {Wanted} wanted @returns {MediaTrackConstraints} */
export function videoConstraints(wanted) {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    ...(wanted.cameraId
      ? { deviceId: { exact: wanted.cameraId } }
      : { facingMode: { ideal: wanted.facing ?? "user" } }),
  };
}

/**
 * The code of why a device could not be had, for the page to put in words.
 * @param {unknown} error of getUserMedia
 * @returns {"not_allowed" | "not_found" | "in_use" | "not_supported" | "failed"}
 */
export function problemOf(error) {
  const name = /** @type {{name?: string} | null} */ (error)?.name ?? "";
  if (name === "NotAllowedError" || name === "SecurityError") return "not_allowed";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "not_found";
  if (name === "NotReadableError" || name === "AbortError") return "in_use";
  return name === "TypeError" ? "not_supported" : "failed";
}
