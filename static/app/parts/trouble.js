/** Why the own camera or microphone cannot be used, and what to do: chosen by the problem. */
import { errorWords } from "./errors.js";
import { refusedPath } from "./flow.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @typedef {{camera: import("../lib/devices.js").Problem | null, microphone: import("../lib/devices.js").Problem | null}} Problems */
/** @typedef {{device: "camera" | "microphone", problem: import("../lib/devices.js").Problem}} Trouble */

/**
 * What cannot be used, the camera first: without a picture nothing can be verified.
 * @param {Problems} problems
 * @param {import("./wanted.js").DeviceHealth[]} [health] of camera and microphone before they were asked for
 * @returns {Trouble | null}
 */
export function troubleIn({ camera, microphone }, health = []) {
  if (camera) return { device: "camera", problem: camera };
  if (microphone) return { device: "microphone", problem: microphone };
  for (const [at, device] of /** @type {const} */ (["camera", "microphone"]).entries()) {
    if (health[at] === "denied") return { device, problem: "not_allowed" };
    if (health[at] === "none") return { device, problem: "not_found" };
  }
  return null;
}

/**
 * In a call: whose sound and pictures a rule has stopped, and why.
 * @param {{app: import("./model.js").CallApp, own: "counter" | "desk"}} props
 */
export function PathNotice({ app, own }) {
  const refused = refusedPath(app.store.call.value?.parties, own);
  if (!refused) return null;
  return html`<${Notice} kind="stop" icon="wifioff" role="alert" small=${true} title=${t(`path.refused.${refused.whose}`)}>${errorWords(refused.code)}<//>`;
}

/**
 * In a call: what is wrong, what to do, and the button to try again.
 * @param {{app: import("./model.js").CallApp, brief?: boolean}} props `brief` where there is no room for what to do
 */
export function TroubleNotice({ app, brief = false }) {
  const trouble = troubleIn(app.media.problem.value);
  if (!trouble) return null;
  const { device, problem } = trouble;
  const retry = html`<button class="btn" type="button" onClick=${app.device.retry}><${Icon} name="refresh" />${t("device.retry")}</button>`;
  const title = t(`trouble.${device}`);
  const what = `${t(`trouble.${problem}.what`)} ${t(`trouble.${problem}.do.1`)} ${t(`trouble.${problem}.do.2`)}`;
  const look = { kind: "warn", icon: device === "camera" ? "camoff" : "micoff", role: "status", small: true, action: retry };
  return brief ? html`<${Notice} ...${look}><b>${title}</b><//>` : html`<${Notice} ...${look} title=${title}>${what}<//>`;
}
