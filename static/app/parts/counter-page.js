/** The tablet's page: the band on top, one view below. */
import { Announcements } from "./announce.js";
import { ClerkDoor } from "./clerk-sign-in.js";
import { CounterBlocked } from "./counter-blocked.js";
import { CounterBreak } from "./counter-break.js";
import { CounterCall } from "./counter-call.js";
import { CounterConsent } from "./counter-consent.js";
import { CounterIdle } from "./counter-idle.js";
import { CounterResult } from "./counter-result.js";
import { Broken, DeviceTrouble, Ended, Loading, SeatTaken, troubleOf } from "./counter-stop.js";
import { CounterWaiting } from "./counter-waiting.js";
import { html } from "./html.js";
import { Toasts } from "./toast.js";
import { CounterTop } from "./topbar.js";
import { TrainingBand } from "./training.js";
import { counterView, endedCode } from "./view.js";

/** @param {import("./model.js").CounterApp} app */
export const viewOf = (app) =>
  counterView({
    you: app.store.you.value,
    line: app.store.connection.value,
    ended: app.store.ended.value,
    call: app.store.call.value,
    screen: app.screen.value,
    trouble: troubleOf(app) !== null,
    arrives: app.media.arrives.value,
  });

/** @param {import("./model.js").CounterApp} app @param {ReturnType<typeof counterView>} view */
function draw(app, view) {
  const { closeCode, code } = app.store.connection.value;
  switch (view) {
    case "ended":
      return html`<${Ended} app=${app} code=${endedCode({ ended: app.store.ended.value, line: app.store.connection.value })} />`;
    case "taken":
      return html`<${SeatTaken} app=${app} code=${closeCode} />`;
    case "broken":
      return html`<${Broken} app=${app} code=${code ?? "internal"} />`;
    case "trouble":
      return html`<${DeviceTrouble} app=${app} />`;
    case "signing":
      return html`<${ClerkDoor} app=${app} />`;
    case "idle":
      return html`<${CounterIdle} app=${app} />`;
    case "blocked":
      return html`<${CounterBlocked} app=${app} />`;
    case "consent":
      return html`<${CounterConsent} app=${app} />`;
    case "waiting":
      return html`<${CounterWaiting} app=${app} />`;
    case "call":
      return html`<${CounterCall} app=${app} />`;
    case "break-own":
      return html`<${CounterBreak} app=${app} whose="own" />`;
    case "break-desk":
      return html`<${CounterBreak} app=${app} whose="desk" />`;
    case "result":
      return html`<${CounterResult} app=${app} />`;
    default:
      return html`<${Loading} />`;
  }
}

const OWN_TOP = new Set(["call", "break-own", "break-desk"]);

/** @param {{app: import("./model.js").CounterApp}} props */
export function CounterPage({ app }) {
  const view = viewOf(app);
  return html`<div class="counter ${view}">
    ${app.training.value && html`<${TrainingBand} />`}
    ${!OWN_TOP.has(view) && html`<${CounterTop} app=${app} idle=${view === "idle"} />`}
    ${draw(app, view)}
    <${Toasts} toasts=${app.toasts} />
    <${Announcements} voice=${app.voice} />
  </div>`;
}
