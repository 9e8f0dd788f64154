/** Whom the desk may ask into the call, everybody whom the policy lets in; who could go on with it; and whether they are free. */
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("./model.js").Invitable} Invitable */

const LOOK = /** @type {const} */ ({ free: ["ok", "check"], busy: ["warn", "clock"], away: ["", "pause"] });

/** @param {{person: Invitable, chosen: string | null, onChoose: (id: string) => void}} props */
function Choice({ person, chosen, onChoose }) {
  const [kind, icon] = LOOK[person.state];
  return html`<label class="choice">
    <input
      type="radio"
      name="invite"
      checked=${chosen === person.id}
      disabled=${person.state !== "free"}
      onChange=${() => onChoose(person.id)}
    />
    <span><b>${t(`role.${person.kind}`)} ${person.name}</b><span class="what">${t(`invite.what.${person.kind}`)}</span></span>
    <span class="chip ${kind}"><${Icon} name=${icon} />${t(`invite.state.${person.state}`)}</span>
  </label>`;
}

/** Why nobody can be asked now, as a key of the words, or null. @param {Invitable | undefined} person @param {boolean} agreed */
export function inviteLock(person, agreed) {
  if (!person) return "invite.need.person";
  if (!person.joins) return "invite.need.joins";
  return agreed ? null : "invite.need.agreed";
}

/** @param {{app: DeskApp}} props */
export function InviteDialog({ app }) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const [agreed, setAgreed] = useState(false);
  const people = app.invitable.value;
  if (!people) return null;
  const person = people.find(({ id }) => id === chosen);
  const lock = inviteLock(person, agreed);
  const foot = html`<p class="why push-end" id="invite-why">${lock && people.length > 0 && t(lock)}</p>
    <button class="btn plain" type="button" onClick=${app.closeInvite}>${t("common.back")} <kbd>Esc</kbd></button>
    ${person?.receives &&
    html`<button class="btn" type="button" onClick=${() => app.handOver(person.id)}><${Icon} name="return" />${t("invite.hand_over")}</button>`}
    <button
      class="btn primary"
      type="button"
      aria-disabled=${lock ? "true" : undefined}
      aria-describedby="invite-why"
      onClick=${() => !lock && person && app.invite(person.id)}
    >
      <${Icon} name=${lock ? "lock" : "people"} />${person ? t("invite.do", { who: t(`role.${person.kind}`) }) : t("invite.title")}
    </button>`;
  return html`<${Dialog} title=${t("invite.title")} onClose=${app.closeInvite} foot=${foot}>
    ${people.length === 0 && html`<p>${t("invite.nobody")}</p>`}
    <fieldset class="plain stack">
      <legend class="vh">${t("invite.who")}</legend>
      ${people.map((one) => html`<${Choice} key=${one.id} person=${one} chosen=${chosen} onChoose=${setChosen} />`)}
    </fieldset>
    ${person?.receives && html`<p class="dim">${t("invite.hand_over.note")}</p>`}
    <label class="choice check">
      <input type="checkbox" checked=${agreed} onChange=${() => setAgreed(!agreed)} /><span>${t("invite.agreed")}</span>
    </label>
    <p class="dim">${t("invite.note")}</p>
  <//>`;
}
