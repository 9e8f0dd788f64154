/** The picture of the counter at the desk: whole, never cropped, nothing over it but the training watermark. */
import { Countdown, givesUpAt, secondsUntil } from "./clock.js";
import { errorWords } from "./errors.js";
import { heard, pathTrouble, refusedPath } from "./flow.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { usePan } from "./pan.js";
import { Playing, Veil } from "./video.js";
import { goesOn } from "./view.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("./model.js").CallNoun} CallNoun */

/** How long the seat is kept, and what stays; then what follows. @param {{app: DeskApp, whose: "own" | "counter" | "desk"}} props */
function Kept({ app, whose }) {
  if (secondsUntil(givesUpAt(app), app.now.value) === 0) return html`<p>${t(`stage.over.${whose}`)}</p>`;
  return html`<p>${t("stage.lost.seat")} <b><${Countdown} to=${givesUpAt(app)} now=${app.now} /></b></p>
    <p>${t("stage.lost.kept")}</p>`;
}

/** What is lost although the picture goes on, or null. @param {DeskApp} app @param {CallNoun} call */
function awayFrom(app, call) {
  const line = app.store.connection.value;
  if (!goesOn({ call, line, arrives: app.media.arrives.value })) return null;
  if (line.state !== "open") return t("stage.own_lost");
  return t(`stage.lost.${call.interrupted?.lost.includes("counter") ? "counter" : "desk"}`);
}

/** What hides the picture now, or null. @param {{app: DeskApp, call: CallNoun}} props */
function Withheld({ app, call }) {
  const line = app.store.connection.value;
  const away = awayFrom(app, call);
  if (away && !call.veiled) return html`<p class="tag" role="status"><${Icon} name="wifioff" /><b>${away}</b> ${t("stage.away")}</p>`;
  if (line.state !== "open") {
    return html`<${Veil} icon="wifioff" title=${t("stage.own_lost")}><${Kept} app=${app} whose="own" /><//>`;
  }
  if (call.state === "interrupted") {
    const whose = call.interrupted?.lost.includes("counter") ? "counter" : "desk";
    return html`<${Veil} icon="wifioff" title=${t(`stage.lost.${whose}`)}><${Kept} app=${app} whose=${whose} /><//>`;
  }
  const voice = heard(call.parties.counter, app.media.state.value);
  if (call.veiled) {
    return html`<${Veil} icon="camoff" title=${t("veil.title")}><p>${t(voice ? "veil.desk.what" : "veil.desk.unheard")}</p><p>${t("veil.desk.end")}</p><//>`;
  }
  const camera = call.parties.counter.camera;
  if (camera !== "on") return html`<${Veil} icon="camoff" title=${t(`stage.camera.${camera}`)}><p>${t(voice ? "stage.camera.what" : "stage.camera.unheard")}</p><//>`;
  const refused = refusedPath(call.parties, "desk");
  if (refused) return html`<${Veil} icon="wifioff" title=${t(`path.refused.${refused.whose}`)}><p>${errorWords(refused.code)}</p><//>`;
  // The last picture stands still and would pass for a living one.
  const trouble = pathTrouble(app.media.state.value, app.media.fault.value);
  if (trouble) return html`<${Veil} icon="wifioff" title=${t(`stage.path.${trouble}`)} />`;
  return null;
}

/** @param {{app: DeskApp, call: CallNoun}} props */
export function DeskStage({ app, call }) {
  const pan = usePan(app.zoom.value);
  const zoomed = app.zoom.value > 1;
  return html`<div
    class="video picture ${call.training ? "watermark" : ""} ${zoomed ? "zoomed" : ""}"
    ref=${pan.box}
    tabindex=${zoomed ? 0 : undefined}
    role="group"
    aria-label=${zoomed ? t("zoom.move") : t("stage.title")}
    onPointerMove=${pan.drag}
    onKeyDown=${pan.key}
  >
    <${Playing}
      stream=${app.media.remote.value}
      label=${t("stage.picture")}
      onElement=${(/** @type {HTMLVideoElement | null} */ element) => (pan.picture.current = element)}
    />
    <${Withheld} app=${app} call=${call} />
  </div>`;
}
