/** The call as a third party sees it: the counter large, everybody else small, and the way out; a senior has chat and files. */
import { ApprovalQueue } from "./approvals.js";
import { DeskChat } from "./desk-chat.js";
import { DeskFacts } from "./desk-facts.js";
import { DeskStage } from "./desk-stage.js";
import { Own } from "./desk-tools.js";
import { DeskFiles } from "./files.js";
import { Others } from "./guests.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { procedureName } from "./procedure.js";
import { TroubleNotice } from "./trouble.js";
import { t } from "./words.js";

/** A call that this person is asked into. @param {{app: import("./model.js").DeskApp, invitation: import("../lib/protocol.js").Invitation}} props */
export function GuestRing({ app, invitation }) {
  const { office, tablet, desk, kind, procedure, call } = invitation;
  return html`<section class="ringing" aria-label=${t("guest.ring.title")}>
    <${Icon} name="bell" class="bell" />
    <div>
      <h2>${t("guest.ring.title")} ${office.name} ${tablet.name}</h2>
      <p>${procedureName(app, procedure)}・${t("guest.ring.by", { name: desk.name })}</p>
      <p class="dim">${t("guest.ring.as", { role: t(`role.${kind}`) })}</p>
    </div>
    <div class="row">
      <button class="btn plain big" type="button" onClick=${app.leaveCall}>${t("guest.ring.no")}</button>
      <button class="btn primary big" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${() => app.join(call)}>
        <${Icon} name="phone" />${t("guest.ring.yes")} <kbd>Alt+A</kbd>
      </button>
    </div>
  </section>`;
}

/** @param {{app: import("./model.js").DeskApp, guest: import("../lib/protocol.js").GuestNoun}} props */
export function GuestCall({ app, guest }) {
  const call = app.store.call.value;
  if (!call) return null;
  const senior = guest.kind === "senior";
  return html`<${DeskFacts} app=${app} call=${call} />
    <main class="dcall">
      <section class="stage" aria-label=${t("stage.title")}>
        <${DeskStage} app=${app} call=${call} />
        <div>
          <${TroubleNotice} app=${app} />
          <div class="tools" role="toolbar" aria-label=${t("tools.title")}><${Own} app=${app} /></div>
        </div>
      </section>
      <div class="side">
        <${Others} app=${app} own=${guest.party} />
        ${senior && html`<${ApprovalQueue} app=${app} call=${call.id} />`}
        ${senior && html`<${DeskChat} app=${app} me=${guest.party} /><${DeskFiles} app=${app} />`}
      </div>
    </main>
    <footer class="decide" aria-label=${t("guest.foot")}>
      <p class="why">${t(`guest.what.${guest.kind}`)}</p>
      <button class="btn stop" type="button" onClick=${app.leaveCall}><${Icon} name="exit" />${t("guest.leave")}</button>
    </footer>`;
}
