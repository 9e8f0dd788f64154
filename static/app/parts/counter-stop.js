/** Whole-page messages: the seat is taken, the sign-in is over, the camera cannot be used, the page loads. */
import { errorWords } from "./errors.js";
import { html } from "./html.js";
import { Icon, Pictogram } from "./icon.js";
import { troubleIn } from "./trouble.js";
import { mustEnrol } from "./view.js";
import { t } from "./words.js";

/**
 * @param {{picture: string, title: string, children?: import("./html.js").Node, action?: import("./html.js").Node}} props
 */
function Whole({ picture, title, children, action }) {
  return html`<main class="cmain center">
    <${Pictogram} name=${picture} class="big-p" />
    <div class="stack" role="alert"><h1>${title}</h1>${children}</div>
    <div class="row wrap">${action}</div>
  </main>`;
}

/** Another page has the seat. @param {{app: import("./model.js").CallApp, code: number | null}} props */
export function SeatTaken({ app, code }) {
  const key = code === 4001 ? "taken" : "moved";
  return html`<${Whole}
    picture="link"
    title=${t(`seat.${key}.title`)}
    action=${html`<button class="btn primary big" type="button" onClick=${app.takeOver}><${Icon} name="refresh" />${t("seat.take")}</button>`}
    ><p class="lead">${t(`seat.${key}.what`)}</p><//
  >`;
}

/** The sign-in is over, or this tablet is not enrolled any more. @param {{app: import("./model.js").CallApp, code: string}} props */
export function Ended({ app, code }) {
  return html`<${Whole}
    picture="stop"
    title=${t(`ended.${code}.title`)}
    action=${html`<button class="btn primary big" type="button" onClick=${app.signIn}><${Icon} name="key" />${t(mustEnrol(code) ? "ended.enrol" : "ended.sign_in")}</button>`}
    ><p class="lead">${t(`ended.${code}.what`)}</p><//
  >`;
}

/** The line is closed for good. @param {{app: import("./model.js").CallApp, code: string}} props */
export function Broken({ app, code }) {
  return html`<${Whole}
    picture="link"
    title=${t("broken.title")}
    action=${html`<button class="btn primary big" type="button" onClick=${app.reconnect}><${Icon} name="refresh" />${t("break.now")}</button>`}
    ><p class="lead">${errorWords(code)}</p><//
  >`;
}

/** Which device cannot be used and why. @param {import("./model.js").CounterApp} app */
export function troubleOf(app) {
  const { camera, microphone } = app.health.value;
  return troubleIn(app.media.problem.value, app.screen.value === "trouble" ? [camera, microphone] : []);
}

/** Camera or microphone cannot be used: what to do, in words and in order. @param {{app: import("./model.js").CounterApp}} props */
export function DeviceTrouble({ app }) {
  const { device, problem } = troubleOf(app) ?? { device: "camera", problem: "failed" };
  return html`<main class="cmain center">
    <${Pictogram} name="camera" class="big-p" />
    <div class="stack" role="alert">
      <h1>${t(`trouble.${device}`)}</h1>
      <p class="lead">${t(`trouble.${problem}.what`)}</p>
    </div>
    <ol class="todo-list">
      ${[1, 2].map((n) => html`<li key=${n}><span>${t(`trouble.${problem}.do.${n}`)}</span></li>`)}
    </ol>
    <div class="row wrap">
      <button class="btn primary big" type="button" onClick=${app.device.retry}><${Icon} name="refresh" />${t("device.retry")}</button>
      <button class="btn plain big" type="button" onClick=${app.back}><${Icon} name="left" />${t("common.back")}</button>
    </div>
    <p class="dim">${t("trouble.note")}</p>
  </main>`;
}

/** Nothing is known yet. */
export function Loading() {
  return html`<main class="cmain center"><p class="lead" role="status"><${Icon} name="refresh" class="turning" /> ${t("loading")}</p></main>`;
}
