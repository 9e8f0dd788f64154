/** What the current step wants of the desk, one thing under another: lists to tick, draws, answers, the code, pictures. */
import { DocumentsNeed } from "./steps-documents.js";
import { html, useEffect, useState } from "./html.js";
import { placeOf } from "../lib/steps.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/steps.js").Need} Need
 */

/** How often a code may be entered. */
const TRIES = 3;

/** A list to tick; what the clerk ticks is only looked at. @param {{app: DeskApp, need: Need}} props */
function Ticks({ app, need }) {
  if (need.by === "counter") {
    return html`<ul class="seen-ticks">
      ${(need.items ?? []).map(
        ({ item, words, on }) => html`<li key=${item} class=${on ? "on" : ""}>
          <${Icon} name=${on ? "okc" : "ring"} />${words[language()]}<span class="vh">${t(on ? "need.ticked" : "need.unticked")}</span>
        </li>`,
      )}
    </ul>`;
  }
  return html`<div>
    ${(need.items ?? []).map(
      ({ item, words, on }) => html`<label class="pick" key=${item}>
        <input type="checkbox" checked=${on} onChange=${() => app.steps.tick(need, item, !on)} />${words[language()]}
      </label>`,
    )}
  </div>`;
}

/** What was drawn, to be ticked; drawing again is limited and logged. @param {{app: DeskApp, need: Need}} props */
function Prompts({ app, need }) {
  const none = !need.items?.length;
  const spent = need.draws_left === 0;
  return html`<${Ticks} app=${app} need=${need} />
    <button
      class="btn ${none ? "" : "plain"} low wide"
      type="button"
      aria-disabled=${spent ? "true" : undefined}
      onClick=${() => !spent && app.steps.draw(need)}
    >
      <${Icon} name=${spent ? "lock" : "refresh"} />${none ? t("need.draw") : t("need.draw_again", { n: need.draws_left ?? 0 })}
    </button>`;
}

/** What the resident said; it is stored as soon as the line is left. @param {{app: DeskApp, need: Need}} props */
function Answer({ app, need }) {
  const [text, setText] = useState(need.text ?? "");
  // Another desk may have written meanwhile.
  useEffect(() => setText(need.text ?? ""), [need.text]);
  const id = `answer-${need.step}-${need.need}`;
  const saved = text.trim() === (need.text ?? "");
  const save = () => !saved && app.steps.answer(need, text.trim());
  return html`<form class="field tight" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), save())}>
    <label for=${id}>${need.words?.[language()]}</label>
    <div class="sendrow">
      <textarea
        id=${id}
        rows="2"
        maxlength="500"
        value=${text}
        onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setText(event.currentTarget.value)}
        onBlur=${save}
      ></textarea>
      <button class="btn low" type="submit" aria-disabled=${saved ? "true" : undefined}>${t(saved && text ? "need.saved" : "need.save")}</button>
    </div>
  </form>`;
}

/** What the desk heard is entered here; the digits themselves stand on the tablet alone. @param {{app: DeskApp, need: Need}} props */
function Code({ app, need }) {
  const [heard, setHeard] = useState("");
  const { agreed = false, tries_left: left = 0 } = need.code ?? {};
  if (agreed) return html`<p class="chip ok"><${Icon} name="okc" />${t("code.agreed")}</p>`;
  if (left === 0) {
    return html`<p class="chip stop wraps"><${Icon} name="xc" />${t("code.spent")}</p>`;
  }
  const whole = /^\d{4}$/.test(heard);
  /** @param {Event} event */
  const enter = (event) => {
    event.preventDefault();
    if (!whole) return;
    app.steps.code(need, heard);
    setHeard("");
  };
  return html`<form class="field tight" onSubmit=${enter}>
    <label for="heard-code">${t("code.heard")}</label>
    <div class="sendrow">
      <input
        id="heard-code"
        class="digits"
        type="text"
        inputmode="numeric"
        autocomplete="off"
        maxlength="4"
        value=${heard}
        onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setHeard(digitsOf(event.currentTarget.value))}
      />
      <button class="btn low" type="submit" aria-disabled=${whole ? undefined : "true"}>${t("code.check")}</button>
    </div>
    <p class=${left < TRIES ? "error-text" : "dim"} role="status">${t(left < TRIES ? "code.wrong" : "code.tries", { n: left })}</p>
  </form>`;
}

/** Digits alone, also those typed in full width. @param {string} text */
export function digitsOf(text) {
  const narrow = text.replace(/[０-９]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0));
  return narrow.replace(/\D/g, "").slice(0, 4);
}

/** Pictures: asked of the tablet, they stand in the tray below the picture. @param {{app: DeskApp, need: Need}} props */
function Stills({ app, need }) {
  const lock = app.steps.stillLock.value;
  return html`<p class="row tight wrap">
    <span>${t("need.stills", { what: need.words?.[language()] ?? "", n: need.bound?.length ?? 0, of: need.at_least ?? 1 })}</span>
    <button class="btn low" type="button" aria-disabled=${lock ? "true" : undefined} title=${lock ? t(lock) : undefined} onClick=${() => !lock && app.steps.still(need)}>
      <${Icon} name=${lock ? "lock" : "still"} />${t("still.ask")}
    </button>
  </p>`;
}

/** Files that came are taken to this step one by one. @param {{app: DeskApp, need: Need}} props */
function Files({ app, need }) {
  const files = app.store.fileList.value.filter(({ state }) => state === "offered");
  return html`<p>${t("need.files", { what: need.words?.[language()] ?? "", n: need.bound?.length ?? 0, of: need.at_least ?? 1 })}</p>
    ${files.length === 0 && html`<p class="dim">${t("need.files.none")}</p>`}
    ${files.map(({ id, name }) => {
      const on = (need.bound ?? []).includes(id);
      return html`<label class="pick" key=${id}>
        <input type="checkbox" checked=${on} onChange=${() => app.steps.bind(need, id, !on)} /><span class="mono">${name}</span>
      </label>`;
    })}`;
}

const BODY = { tick: Ticks, prompts: Prompts, answer: Answer, code: Code, still: Stills, file: Files, documents: DocumentsNeed };

/** What a need is about, in a few words. @param {Need} need */
function heading(need) {
  return t(`need.title.${need.kind === "tick" ? `tick.${need.by}` : need.kind}`, { n: need.draw ?? need.at_least ?? 1 });
}

/**
 * One need: its words and what is left, and below it what to do. Of several only one is open, so that the step fits.
 * @param {{app: DeskApp, need: Need, open: boolean, alone: boolean, onOpen: () => void}} props
 */
export function StepNeed({ app, need, open, alone, onOpen }) {
  const id = `need-${need.step}-${need.need}`;
  const state = html`<span class=${need.done ? "done" : "left"}>${need.done ? t("need.done") : t("need.left", { n: need.left })}</span>`;
  return html`<section class="need ${need.done ? "done" : ""}" aria-label=${heading(need)} data-kind=${need.kind} data-by=${need.by} data-place=${placeOf(need)}>
    ${!alone &&
    html`<button class="line" type="button" id=${id} aria-expanded=${String(open)} onClick=${onOpen}>
      <${Icon} name=${need.done ? "okc" : "ring"} /><span>${heading(need)}</span>${!open && state}
    </button>`}
    ${(open || alone) && html`<div class="need-body"><${BODY[need.kind]} app=${app} need=${need} /></div>`}
  </section>`;
}
