/** The clerk at the tablet: who stands here, and the PIN, on keys large enough for a thumb. */
import { MIN_DIGITS } from "../lib/clerk.js";
import { errorWords } from "./errors.js";
import { html, useEffect } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @typedef {import("../lib/clerk.js").ClerkSignIn} Clerk */
/** @typedef {import("./html.js").Signal<number>} Clock */

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** @param {{clerk: Clerk}} props */
function Who({ clerk }) {
  const all = clerk.clerks.value;
  if (clerk.error.value) {
    return html`<${Notice} kind="stop" icon="alert" role="alert">${errorWords(clerk.error.value)}<//>
      <button class="btn big" type="button" onClick=${clerk.load}><${Icon} name="refresh" />${t("pin.load_again")}</button>`;
  }
  if (!all) return html`<p role="status"><${Icon} name="refresh" class="turning" /> ${t("loading")}</p>`;
  if (all.length === 0) return html`<${Notice} kind="warn">${t("pin.nobody")}<//>`;
  return html`<ul class="clerks">
    ${all.map(
      (one) =>
        html`<li key=${one.id}>
          <button class="btn" type="button" aria-disabled=${one.pin ? undefined : "true"} onClick=${() => clerk.choose(one)}>
            <${Icon} name=${one.pin ? "person" : "lock"} /><b>${one.name}</b>
            ${!one.pin && html`<span>${t("pin.not_given")}</span>`}
          </button>
        </li>`,
    )}
  </ul>`;
}

/** What stands above the keys: a wait with its seconds, or a refusal. @param {{clerk: Clerk, left: number}} props */
function Said({ clerk, left }) {
  const code = clerk.error.value;
  if (left > 0) {
    const words = left > 90 ? t("pin.wait.minutes", { n: Math.ceil(left / 60) }) : t("pin.wait", { n: left });
    return html`<${Notice} kind="warn" icon="clock" role="alert">${words}<//>`;
  }
  if (!code || code === "pin_wait") return null;
  if (code === "short" || code === "differ") return html`<${Notice} kind="warn" role="alert">${t(`pin.${code}`)}<//>`;
  return html`<${Notice} kind="stop" icon="alert" role="alert">
    ${errorWords(code)}${clerk.reasons.value.map((reason) => html` <span key=${reason}>${t(`pin.weak.${reason}`)}</span>`)}
  <//>`;
}

/** @param {{clerk: Clerk, locked: boolean}} props */
function Keys({ clerk, locked }) {
  const typed = clerk.typed.value;
  const last = clerk.step.value === "new" || (clerk.step.value === "pin" && clerk.changing.value);
  const go = clerk.busy.value ? "pin.busy" : last ? "pin.next" : "pin.go";
  /** @param {string} digit */
  const press = (digit) => clerk.type(typed + digit);
  return html`<div class="pin-keys">
    ${DIGITS.map((digit) => html`<button key=${digit} class="btn key" type="button" onClick=${() => press(digit)}>${digit}</button>`)}
    <button class="btn key plain word" type="button" onClick=${() => clerk.type(typed.slice(0, -1))}>${t("pin.erase")}</button>
    <button class="btn key" type="button" onClick=${() => press("0")}>0</button>
    <button class="btn key primary word" type="submit" aria-disabled=${locked || typed.length < MIN_DIGITS ? "true" : undefined}>${t(go)}</button>
  </div>`;
}

/** @param {{clerk: Clerk, now: Clock}} props */
function Pin({ clerk, now }) {
  const left = Math.ceil((clerk.waitUntil.value - now.value) / 1000);
  const step = clerk.step.value;
  const typed = clerk.typed.value;
  const locked = left > 0 || clerk.busy.value || clerk.error.value === "pin_locked";
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!locked) void clerk.submit();
  };
  return html`<form class="pin-form" onSubmit=${submit}>
    <div class="field">
      <label for="pin">${t("pin.label")}</label>
      <input
        id="pin"
        type="password"
        inputmode="none"
        autocomplete="off"
        aria-describedby="pin-hint"
        value=${typed}
        onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => {
          clerk.type(event.currentTarget.value);
          event.currentTarget.value = clerk.typed.value;
        }}
      />
      <span class="hint" id="pin-hint">${t(step === "new" ? "pin.hint.new" : "pin.hint")}</span>
    </div>
    <div class="pin-said"><${Said} clerk=${clerk} left=${left} /></div>
    <${Keys} clerk=${clerk} locked=${locked} />
    ${step === "pin" &&
    html`<button class="btn plain big" type="button" onClick=${clerk.change}>
      <${Icon} name="key" />${t(clerk.changing.value ? "pin.change.back" : "pin.change")}
    </button>`}
    <button class="btn plain big" type="button" onClick=${clerk.back}><${Icon} name="left" />${t("pin.other")}</button>
  </form>`;
}

/** The heading of the present step. @param {Clerk} clerk */
export const clerkTitle = (clerk) => {
  const step = clerk.step.value;
  const asked = clerk.changing.value ? "pin.old" : "pin.enter";
  return step === "pin" ? t(asked, { name: clerk.who.value?.name ?? "" }) : t(`pin.${step}`);
};

/** Who and PIN, without a heading: for a page and for a dialog. @param {{clerk: Clerk, now: Clock}} props */
export function ClerkSteps({ clerk, now }) {
  useEffect(() => void clerk.load(), []);
  return clerk.step.value === "who" ? html`<${Who} clerk=${clerk} />` : html`<${Pin} clerk=${clerk} now=${now} />`;
}

/** The whole page while nobody is signed in on the tablet. @param {{app: import("./model.js").CounterApp}} props */
export function ClerkDoor({ app }) {
  return html`<main class="cmain clerk-door">
    <div class="panel">
      <h1>${clerkTitle(app.clerk)}</h1>
      <${ClerkSteps} clerk=${app.clerk} now=${app.now} />
    </div>
    <p class="dim">${t("sign_in.log")}</p>
  </main>`;
}
