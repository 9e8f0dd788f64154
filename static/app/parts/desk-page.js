/** The desk's page: the band on top, one view below. */
import { Announcements } from "./announce.js";
import { Broken, Ended, Loading, SeatTaken } from "./counter-stop.js";
import { DeskCall } from "./desk-call.js";
import { DeskQueue } from "./desk-queue.js";
import { GuestCall } from "./guest-call.js";
import { html } from "./html.js";
import { Toasts } from "./toast.js";
import { DeskTop } from "./topbar.js";
import { TrainingBand } from "./training.js";
import { deskView } from "./view.js";

/** @param {import("./model.js").DeskApp} app */
export const viewOf = (app) =>
  deskView({
    you: app.store.you.value,
    line: app.store.connection.value,
    ended: app.store.ended.value,
    call: app.store.call.value,
  });

/** @param {import("./model.js").DeskApp} app @param {ReturnType<typeof deskView>} view */
function draw(app, view) {
  const { closeCode, code } = app.store.connection.value;
  switch (view) {
    case "ended":
      return html`<${Ended} app=${app} code=${app.store.ended.value ?? "signed_out"} />`;
    case "taken":
      return html`<${SeatTaken} app=${app} code=${closeCode} />`;
    case "broken":
      return html`<${Broken} app=${app} code=${code ?? "internal"} />`;
    case "queue":
      return html`<${DeskTop} app=${app} /><${DeskQueue} app=${app} />`;
    case "call": {
      const guest = app.guest.value;
      return guest ? html`<${GuestCall} app=${app} guest=${guest} />` : html`<${DeskCall} app=${app} />`;
    }
    default:
      return html`<${Loading} />`;
  }
}

/** @param {{app: import("./model.js").DeskApp}} props */
export function DeskPage({ app }) {
  const view = viewOf(app);
  const call = app.store.call.value;
  return html`<div class="desk ${view}">
    ${call?.training && html`<${TrainingBand} />`}
    ${draw(app, view)}
    <${Toasts} toasts=${app.toasts} />
    <${Announcements} voice=${app.voice} />
  </div>`;
}
