/** The call on the tablet: the officer, one instruction, the own picture; below or beside them the clerk's zone. */
import { ClerkZone, VeiledClerkZone } from "./counter-clerk.js";
import { instructionOf } from "../lib/steps.js";
import { heard, lineAdvice } from "./flow.js";
import { Others } from "./guests.js";
import { Hear } from "./hear.js";
import { html } from "./html.js";
import { Icon, Pictogram } from "./icon.js";
import { LevelBars } from "./level.js";
import { plain, Rich, Say } from "./rich.js";
import { lastAsked } from "./templates.js";
import { CounterCallTop } from "./topbar.js";
import { Playing, Veil } from "./video.js";
import { goesOn } from "./view.js";
import { language, other, t, tIn } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */

/** Thanks stand for this long; then the resident is simply in a talk again. */
export const THANKS_MS = 10_000;

/** That a picture was taken is said for this long. */
export const SHOT_MS = 6_000;

/** @param {{app: CounterApp}} props */
function Officer({ app }) {
  const call = app.store.call.value;
  const desk = call?.parties.desk;
  const voice = heard(desk, app.media.state.value) ? "officer.hears" : "officer.unheard";
  const silent = desk && desk.microphone !== "on" ? desk.microphone : null;
  const name = call?.desk?.name ?? "";
  const place = app.store.you.value?.municipality.name ?? "";
  return html`<section class="video officer ${call?.training ? "watermark" : ""}" aria-label=${t("officer.title")}>
    <${Playing} stream=${app.media.remote.value} label=${t("officer.picture")} />
    <${Others} app=${app} own="counter" />
    ${desk?.camera !== "on" && html`<${Veil} icon="camoff" title=${t("officer.no_picture")}><p>${t(voice)}</p><//>`}
    <p class="tag">
      ${place} ${name}
      <span role="status">${silent && html` <span class="chip warn"><${Icon} name="micoff" />${t(`officer.microphone.${silent}`)}</span>`}</span>
    </p>
  </section>`;
}

/** Whether the talk goes on without the server. @param {Pick<CounterApp, "store" | "media">} app */
const withoutServer = ({ store, media }) =>
  goesOn({ call: store.call.value, line: store.connection.value, arrives: media.arrives.value });

/** The step of this call whose turn it is. @param {Pick<CounterApp, "store">} app */
const stepOf = ({ store }) => instructionOf(store.steps.value?.call === store.call.value?.id ? store.steps.value : null);

/** A picture for the steps that the shipped procedures have. @type {Readonly<Record<string, string>>} */
const PICTURES = { code: "speak", purpose: "speak", face: "turn", documents: "card", card: "card", papers: "wait", match: "wait", consent: "speak" };

/**
 * What the resident is asked to do now: what the desk has just asked for, else the words of the step. `mark` differs whenever
 * it is to be said anew, also in the same words; `say` is said in both languages in place of the words of `key`.
 * @param {Pick<CounterApp, "store" | "now" | "media" | "stepSince">} app
 * @returns {{key: string, picture: string, mark: string, say?: import("../lib/protocol.js").Both, code?: string | null}}
 */
export function instruction({ store, now, media, stepSince }) {
  const told = (/** @type {string} */ key, /** @type {string} */ picture, number = 0) => ({ key, picture, mark: `${key} ${number}` });
  const step = stepOf({ store });
  if (store.call.value?.veiled) return told("veil.instruction", "pin");
  // Nobody could withhold the picture now: the resident must not go on to type anything.
  if (withoutServer({ store, media })) return told("call.away", "wait");
  if (store.call.value?.state === "deciding") return told("call.deciding", "wait");
  const asked = lastAsked(store.chat.value);
  if (step?.code) return { ...told("call.talk", "speak"), say: step.now, code: step.code, mark: `${step.id} ${step.code}` };
  const rests = asked?.template.rests && now.value - Date.parse(asked.message.at) > THANKS_MS;
  if (step && (!asked || rests || Date.parse(asked.message.at) < stepSince.value)) {
    return { ...told("call.talk", PICTURES[step.id] ?? "wait"), say: step.now, mark: `${step.id} ${stepSince.value}` };
  }
  if (!asked || rests) return told("call.talk", "speak");
  return told(`template.${asked.template.id}.say`, asked.template.picture, asked.message.number);
}

/** @param {{app: CounterApp}} props */
function Instruction({ app }) {
  const { key, picture, mark, say, code } = instruction(app);
  const veiled = app.store.call.value?.veiled ?? false;
  return html`<section class="say ${code ? "with-code" : ""}" aria-live="polite" aria-label=${t("call.now")}>
    <${Pictogram} name=${picture} />
    <div key=${mark}>
      <p class="step">${t("call.now")}</p>
      ${say
        ? html`<h1 class="easy" lang=${language()}><${Rich} text=${say[language()]} /></h1>
            ${code && html`<p class="spoken"><b>${code}</b></p>`}
            <p class="second" lang=${other()}>${plain(say[other()])}</p>`
        : html`<${Say} k=${key} as="h1" />`}
    </div>
    <${Hear} speech=${app.speech} texts=${[key]} said=${say && plain(say[language()])} class="hear" silent=${veiled} />
  </section>`;
}

/** What to tell the resident about the own picture and voice. @param {CounterApp} app */
function ownAdvice(app) {
  const { camera, microphone, state, fault } = app.media;
  if (app.now.value - app.shotAt.value < SHOT_MS) return { kind: "ok", icon: "still", key: "own.still" };
  if (app.meter.mutedHint.value) return { kind: "", icon: "micoff", key: "level.muted_hint" };
  if (camera.value === "lost") return { kind: "", icon: "camoff", key: "own.camera_lost" };
  if (camera.value === "off") return { kind: "", icon: "camoff", key: "own.camera_off" };
  if (microphone.value !== "on") return { kind: "", icon: "micoff", key: `own.microphone_${microphone.value}` };
  const key = lineAdvice(state.value, fault.value, app.store.quality.value);
  return key === "own.good" ? { kind: "ok", icon: "okc", key } : { kind: "", icon: "wifioff", key };
}

/** @param {{app: CounterApp}} props */
function OwnPicture({ app }) {
  const call = app.store.call.value;
  const veiled = call?.veiled ?? false;
  const advice = veiled ? { kind: "ok", icon: "lock", key: "own.veiled" } : ownAdvice(app);
  const dark = !veiled && app.media.camera.value !== "on";
  return html`<section class="own" aria-label=${t("own.title")}>
    <div class="row"><h2>${t(veiled ? "own.title.veiled" : "own.title")}</h2><span class="push"><${LevelBars} level=${app.meter.level} /></span></div>
    <div class="video ${app.mirrored.value ? "mirror" : ""} ${call?.training ? "watermark" : ""}">
      <${Playing} stream=${app.media.local.value} label=${t("own.title")} muted=${true} />
      ${veiled && html`<${Veil} icon="camoff" title=${t("veil.title")} as="b" />`}
      ${dark && html`<${Veil} icon="camoff" title=${t(`own.camera.${app.media.camera.value}`)} as="b" />`}
    </div>
    <p class="advice ${advice.kind}" role="status">
      <${Icon} name=${advice.icon} /><span class="easy"><${Rich} text=${tIn(language(), advice.key)} /></span>
    </p>
  </section>`;
}

/** @param {{app: CounterApp}} props */
export function CounterCall({ app }) {
  const veiled = app.store.call.value?.veiled ?? false;
  const step = stepOf(app);
  return html`<${CounterCallTop} app=${app}>
      ${withoutServer(app)
        ? html`<span class="chip warn"><${Icon} name="wifioff" />${t("state.interrupted")}</span>`
        : veiled
        ? html`<span class="chip"><${Icon} name="pause" />${t("veil.chip")}</span>`
        : html`<span class="chip ok"><${Icon} name="phone" />${t("call.talking")}</span>
            ${step && html`<b class="nw">${t("steps.at", { n: step.number, of: step.of })}</b>`}
            <button class="btn" type="button" onClick=${() => app.veil(true)}>
              <${Icon} name="camoff" />${t("veil.begin")}
            </button>`}
    <//>
    <main class="ccall">
      <${Officer} app=${app} />
      <${Instruction} app=${app} />
      <${OwnPicture} app=${app} />
      ${veiled ? html`<${VeiledClerkZone} app=${app} />` : html`<${ClerkZone} app=${app} />`}
    </main>`;
}
