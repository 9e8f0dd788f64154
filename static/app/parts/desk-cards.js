/** 見本: what to do with a document on camera, and what a genuine one then shows. From the server alone, no other address. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("./model.js").DocumentKind} DocumentKind */

/**
 * The card to show: the one that was chosen, else that of the document shown last, else the first that is filled in.
 * @param {readonly DocumentKind[]} kinds
 * @param {string | null} chosen
 * @param {readonly {kind: string}[]} shown
 */
export function cardOf(kinds, chosen, shown) {
  const wanted = chosen ?? shown.at(-1)?.kind;
  return kinds.find(({ kind }) => kind === wanted) ?? kinds.find(({ card }) => card.complete) ?? kinds[0] ?? null;
}

/** Kinds of documents to choose from, by class. @param {{kinds: readonly DocumentKind[]}} props */
export function KindOptions({ kinds }) {
  return ["a", "b"].map(
    (one) => html`<optgroup key=${one} label=${t(`documents.class.${one}`)}>
      ${kinds
        .filter((kind) => kind.document_class === one)
        .map(({ kind, name }) => html`<option key=${kind} value=${kind}>${name[language()]}</option>`)}
    </optgroup>`,
  );
}

/** @param {{app: DeskApp}} props */
export function DeskCards({ app }) {
  const kinds = app.kinds.value;
  const found = cardOf(kinds, app.cardKind.value, app.steps.shown.value);
  if (!found) return html`<p class="dim">${t("cards.none")}</p>`;
  const { card, kind } = found;
  return html`<div class="scroll cards" tabindex="0" role="group" aria-label=${t("cards.title")}>
    <div class="field">
      <label for="card-kind">${t("cards.which")}</label>
      <select id="card-kind" value=${kind} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => (app.cardKind.value = event.currentTarget.value)}>
        <${KindOptions} kinds=${kinds} />
      </select>
    </div>
    ${!card.complete && html`<p class="chip warn wraps"><${Icon} name="alert" />${t("cards.incomplete")}</p>`}
    <ol class="looks">
      ${card.looks.map(
        (look, index) => html`<li key=${index}><b>${look.do[language()]}</b><span>${look.see[language()]}</span></li>`,
      )}
    </ol>
    ${card.source && html`<p class="dim">${t("cards.source", { source: card.source[language()] })}</p>`}
  </div>`;
}
