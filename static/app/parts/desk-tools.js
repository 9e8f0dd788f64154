/** The tools under the picture. */
import { CompareButton } from "./desk-compare.js";
import { DevicePicker } from "./devices.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { PathNotice, TroubleNotice } from "./trouble.js";
import { t } from "./words.js";
import { nextZoom } from "./zoom.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */

/** @param {{app: DeskApp}} props */
export function Own({ app }) {
  const { camera, microphone } = app.media;
  const muted = microphone.value !== "on";
  const hint = app.meter.mutedHint.value;
  const dark = camera.value !== "on";
  return html`
    <button
      class="btn ${hint ? "warn" : ""}"
      type="button"
      aria-pressed=${String(muted)}
      onClick=${() => app.device.microphone(muted)}
    >
      <${Icon} name=${muted ? "micoff" : "mic"} />${t(hint ? "device.muted" : "device.mute")}
    </button>
    <button class="btn" type="button" aria-pressed=${String(dark)} onClick=${() => app.device.camera(dark)}>
      <${Icon} name=${dark ? "camoff" : "camera"} />${t("device.camera_off")}
    </button>
  `;
}

/** A picture for the open step, from the tablet's camera. @param {{app: DeskApp}} props */
function Still({ app }) {
  if (!app.steps.lines.value.length) return null;
  const lock = app.steps.stillLock.value;
  return html`<button class="btn ${lock ? "" : "primary"}" type="button" aria-disabled=${lock ? "true" : undefined} title=${lock ? t(lock) : undefined} onClick=${app.steps.stillNow}>
    <${Icon} name=${lock ? "lock" : "still"} />${t("still.take")} <kbd>Alt+S</kbd>
  </button>`;
}

/** @param {{app: DeskApp, call: import("./model.js").CallNoun}} props */
export function DeskTools({ app, call }) {
  const [picking, setPicking] = useState(false);
  const zoom = app.zoom.value;
  const close = () => setPicking(false);
  return html`<${PathNotice} app=${app} own="desk" /><${TroubleNotice} app=${app} /><div class="tools" role="toolbar" aria-label=${t("tools.title")}>
    <${Still} app=${app} />
    <${Own} app=${app} />
    <button
      class="btn"
      type="button"
      aria-pressed=${String(zoom > 1)}
      aria-disabled=${call.veiled ? "true" : undefined}
      onClick=${() => !call.veiled && (app.zoom.value = nextZoom(zoom))}
    >
      <${Icon} name="zoom" />${zoom > 1 ? t("zoom.now", { n: zoom }) : t("zoom.title")} <kbd>Alt+Z</kbd>
    </button>
    <button
      class="btn stop"
      type="button"
      aria-disabled=${call.veiled ? "true" : undefined}
      title=${call.veiled ? t("veil.desk.end") : t("veil.what")}
      onClick=${() => !call.veiled && app.veil(true)}
    >
      <${Icon} name=${call.veiled ? "lock" : "camoff"} />${t(call.veiled ? "veil.by_clerk" : "veil.stop")}
      ${!call.veiled && html`<kbd>Alt+V</kbd>`}
    </button>
    ${app.steps.lines.value.length > 0 && html`<${CompareButton} app=${app} />`}
    <button class="btn" type="button" aria-haspopup="dialog" onClick=${app.openInvite}>
      <${Icon} name="people" />${t("invite.open")}
    </button>
    <button class="btn plain" type="button" aria-haspopup="dialog" onClick=${() => setPicking(true)}>
      <${Icon} name="gear" />${t("device.title")}
    </button>
    ${picking &&
    html`<${Dialog}
      title=${t("device.title")}
      onClose=${close}
      foot=${html`<button class="btn primary" type="button" onClick=${close}>${t("common.close")}</button>`}
      ><${DevicePicker} app=${app} /><//
    >`}
  </div>`;
}
