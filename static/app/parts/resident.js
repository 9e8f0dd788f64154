/** 研修モード: the made-up resident. The counter is told whom to play, the desk what the register has. */
import { Dialog } from "./dialog.js";
import { codeOf, errorWords } from "./errors.js";
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").Both} Both
 * @typedef {{name: Both | null, says: Both | null, holds: Both[], does: Both | null, register: Both[], notice: Both | null, outcome: string | null}} Resident
 */

/** @param {{title: string, children?: import("./html.js").Node}} props */
const Part = ({ title, children }) => html`<section><h3>${title}</h3>${children}</section>`;

/** @param {{words: Both[]}} props */
const List = ({ words }) => html`<ul class="dots">${words.map((one) => html`<li key=${one.ja}>${one[language()]}</li>`)}</ul>`;

/** What this end may know of the resident. @param {{resident: Resident}} props */
export function ResidentCard({ resident }) {
  const { name, says, holds, does, register, notice, outcome } = resident;
  return html`<div class="stack resident">
    <p class="dim">${t("resident.made_up")}</p>
    ${name && html`<${Part} title=${t("resident.name")}><p>${name[language()]}</p><//>`}
    ${says && html`<${Part} title=${t("resident.says")}><p>${says[language()]}</p><//>`}
    ${holds.length > 0 && html`<${Part} title=${t("resident.holds")}><${List} words=${holds} /><//>`}
    ${does && html`<${Part} title=${t("resident.does")}><p>${does[language()]}</p><//>`}
    ${register.length > 0 && html`<${Part} title=${t("resident.register")}><${List} words=${register} /><//>`}
    ${notice && html`<${Part} title=${t("resident.notice")}><p>${notice[language()]}</p><//>`}
    ${outcome && html`<p><b>${t("resident.outcome", { outcome: t(`outcome.${outcome}`) })}</b></p>`}
  </div>`;
}

/** Asks once for the call, else for the one that is shown. @param {{app: import("./model.js").CallApp, of?: import("./model.js").CallNoun}} props */
export function ResidentBody({ app, of }) {
  const call = of ?? app.store.call.value;
  const [found, setFound] = useState(/** @type {{resident: Resident | null, code: string | null}} */ ({ resident: null, code: null }));
  const over = call?.state === "closed";
  useEffect(() => {
    if (!call) return;
    app.resident(call.id).then(
      (resident) => setFound({ resident, code: null }),
      (error) => setFound({ resident: null, code: codeOf(error) }),
    );
  }, [call?.id, over]);
  if (found.code) return html`<${Notice} kind="warn" small=${true}>${errorWords(found.code)}<//>`;
  return found.resident ? html`<${ResidentCard} resident=${found.resident} />` : html`<p role="status">${t("officer.loading")}</p>`;
}

/** At the desk, when a training call is over: what there was to notice, and the expected outcome beside the given one. @param {{app: import("./model.js").CallApp, call: import("./model.js").CallNoun}} props */
export function LessonButton({ app, call }) {
  const [open, setOpen] = useState(false);
  if (!call.training || !call.answered_at) return null;
  const close = () => setOpen(false);
  const foot = html`<button class="btn primary" type="button" onClick=${close}>${t("common.close")}</button>`;
  return html`<button class="btn plain low" type="button" aria-haspopup="dialog" onClick=${() => setOpen(true)}>
      <${Icon} name="grad" />${t("lesson.open")}
    </button>
    ${open &&
    html`<${Dialog} title=${t("lesson.title", { number: call.number })} onClose=${close} foot=${foot} size="full">
      <div class="stack scroll lesson" tabindex="0" role="group" aria-label=${t("resident.title")}>
        <p><b>${t("lesson.given", { outcome: t(`outcome.${call.outcome ?? "none"}`) })}</b></p>
        <${ResidentBody} app=${app} of=${call} />
      </div>
    <//>`}`;
}

/** In a training call a button that shows whom to play. @param {{app: import("./model.js").CallApp, class?: string}} props */
export function ResidentButton({ app, class: extra = "low" }) {
  const [open, setOpen] = useState(false);
  if (!app.store.call.value?.training) return null;
  const close = () => setOpen(false);
  const foot = html`<button class="btn primary big" type="button" onClick=${close}>${t("common.close")}</button>`;
  return html`<button class=${`btn ${extra}`} type="button" aria-haspopup="dialog" onClick=${() => setOpen(true)}>
      <${Icon} name="grad" />${t("resident.card")}
    </button>
    ${open && html`<${Dialog} title=${t("resident.title")} onClose=${close} foot=${foot}><${ResidentBody} app=${app} /><//>`}`;
}
