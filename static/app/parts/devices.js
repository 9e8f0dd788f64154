/** Choosing camera and microphone by name. */
import { html } from "./html.js";
import { t } from "./words.js";

/**
 * @param {{id: string, label: string, list: import("../lib/devices.js").Device[], current: string, onPick: (id: string) => void}} props
 */
function Choice({ id, label, list, current, onPick }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select
      id=${id}
      disabled=${list.length === 0}
      onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => onPick(event.currentTarget.value)}
    >
      ${list.length === 0 && html`<option>${t("device.none")}</option>`}
      ${list.map(
        (device, index) =>
          html`<option key=${device.id} value=${device.id} selected=${device.id === current}>
            ${device.label || t("device.nameless", { n: index + 1 })}
          </option>`,
      )}
    </select>
  </div>`;
}

/** The device that a stream takes from. @param {MediaStream | null} stream @param {"audio" | "video"} kind */
function deviceOf(stream, kind) {
  const track = stream?.getTracks().find((one) => one.kind === kind);
  return track?.getSettings().deviceId ?? "";
}

/** @param {{app: import("./model.js").CallApp}} props */
export function DevicePicker({ app }) {
  const { cameras, microphones } = app.devices.value;
  const local = app.media.local.value;
  return html`<div class="stack tight">
    <${Choice} id="camera" label=${t("device.camera")} list=${cameras} current=${deviceOf(local, "video")} onPick=${app.device.pickCamera} />
    <${Choice} id="microphone" label=${t("device.microphone")} list=${microphones} current=${deviceOf(local, "audio")} onPick=${app.device.pickMicrophone} />
  </div>`;
}
