/** The line is lost: what happened, what is kept, how long the seat is kept, and that nobody need do anything. */
import { countdown } from "../lib/format.js";
import { givesUpAt, secondsUntil } from "./clock.js";
import { Hear } from "./hear.js";
import { html } from "./html.js";
import { Icon, Pictogram } from "./icon.js";
import { Message, Rich } from "./rich.js";
import { CounterCallTop } from "./topbar.js";
import { language, other, t, tIn } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */

/** @param {{app: CounterApp, whose: "own" | "desk"}} props */
function Left({ app, whose }) {
  const seconds = secondsUntil(givesUpAt(app), app.now.value);
  if (seconds === 0) return html`<div role="status"><p class="lead">${t(`break.over.${whose}`)}</p></div>`;
  return html`<div>
    <p class="easy"><span><${Rich} text=${tIn(language(), "break.left")} /></span></p>
    <b role="timer" aria-label=${t("break.left.label", { seconds })}>${countdown(seconds)}</b>
    <span class="second" lang=${other()}>${tIn(other(), "break.left.second")}</span>
  </div>`;
}

/** @param {{app: CounterApp}} props */
function Kept({ app }) {
  const files = app.store.fileList.value.filter((file) => file.state === "offered").length;
  return html`<div class="kept">
    <h2>${t("break.kept")}</h2>
    <ul class="met">
      <li><${Icon} name="okc" />${t("break.kept.number")}</li>
      ${app.store.call.value?.answered_at && html`<li><${Icon} name="okc" />${t("break.kept.chat")}</li>`}
      ${files > 0 && html`<li><${Icon} name="okc" />${t("break.kept.files", { n: files })}</li>`}
    </ul>
  </div>`;
}

/**
 * @param {{app: CounterApp, whose: "own" | "desk"}} props `whose` line is lost
 */
export function CounterBreak({ app, whose }) {
  return html`<${CounterCallTop} app=${app}>
      <span class="chip warn"><${Icon} name="wifioff" />${t("state.interrupted")}</span>
    <//>
    <main class="cmain center">
      <${Pictogram} name="link" class="big-p" />
      <div role="status"><${Message} title=${`break.${whose}.title`} what=${`break.${whose}.what`} /></div>
      <div class="facts"><${Left} app=${app} whose=${whose} /><${Kept} app=${app} /></div>
    </main>
    <section class="clerk below" aria-label=${t("clerk.title")}>
      <h2>${t("clerk.title")}</h2>
      <p>${t(`break.${whose}.clerk`)}</p>
      <div class="row wrap">
        ${whose === "own" &&
        html`<button class="btn primary big" type="button" onClick=${app.reconnect}><${Icon} name="refresh" />${t("break.now")}</button>`}
        <${Hear} speech=${app.speech} texts=${[`break.${whose}.title`, `break.${whose}.what`]} />
      </div>
    </section>`;
}
