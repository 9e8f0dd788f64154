/** The call at the desk: the picture large, chat and files at the right, the decision below; nothing else moves. */
import { DecisionDialog } from "./decision-dialog.js";
import { DecisionBar } from "./decision.js";
import { DeskChat } from "./desk-chat.js";
import { DeskFacts } from "./desk-facts.js";
import { DeskStage } from "./desk-stage.js";
import { DeskTools } from "./desk-tools.js";
import { DeskFiles } from "./files.js";
import { Others } from "./guests.js";
import { html } from "./html.js";
import { InviteDialog } from "./invite-dialog.js";
import { t } from "./words.js";

/** @param {{app: import("./model.js").DeskApp}} props */
export function DeskCall({ app }) {
  const call = app.store.call.value;
  if (!call) return null;
  const outcome = app.dialog.value;
  return html`<${DeskFacts} app=${app} call=${call} />
    <main class="dcall">
      <section class="stage" aria-label=${t("stage.title")}>
        <${DeskStage} app=${app} call=${call} />
        <${DeskTools} app=${app} call=${call} />
      </section>
      <div class="side"><${Others} app=${app} own="desk" manage=${app.uninvite} /><${DeskChat} app=${app} /><${DeskFiles} app=${app} /></div>
    </main>
    <${DecisionBar} app=${app} call=${call} />
    ${app.invitable.value && html`<${InviteDialog} app=${app} />`}
    ${outcome && html`<${DecisionDialog} key=${outcome} app=${app} call=${call} outcome=${outcome} />`}`;
}
