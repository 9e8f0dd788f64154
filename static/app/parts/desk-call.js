/** The call at the desk: steps at the left, the picture, at the right what is missing, chat and files, the decision below; nothing moves. */
import { ApprovalDialog } from "./approvals.js";
import { DecisionDialog } from "./decision-dialog.js";
import { DecisionBar } from "./decision.js";
import { DeskAside } from "./desk-aside.js";
import { DeskPictures } from "./desk-compare.js";
import { DeskFacts } from "./desk-facts.js";
import { DeskTools } from "./desk-tools.js";
import { html } from "./html.js";
import { InviteDialog } from "./invite-dialog.js";
import { StillsTray } from "./steps-stills.js";
import { StepsTray } from "./steps.js";
import { t } from "./words.js";

/** @param {{app: import("./model.js").DeskApp}} props */
export function DeskCall({ app }) {
  const call = app.store.call.value;
  if (!call) return null;
  const outcome = app.dialog.value;
  const stepped = app.steps.lines.value.length > 0;
  return html`<${DeskFacts} app=${app} call=${call} />
    <main class="dcall ${stepped ? "with-steps" : ""}">
      <${StepsTray} app=${app} />
      <section class="stage ${stepped ? "with-tray" : ""}" aria-label=${t("stage.title")}>
        <${DeskPictures} app=${app} call=${call} />
        <${DeskTools} app=${app} call=${call} />
        <${StillsTray} app=${app} />
      </section>
      <${DeskAside} app=${app} />
    </main>
    <${DecisionBar} app=${app} call=${call} />
    ${app.steps.asking.value && html`<${ApprovalDialog} app=${app} />`}
    ${app.invitable.value && html`<${InviteDialog} app=${app} />`}
    ${outcome && html`<${DecisionDialog} key=${outcome} app=${app} call=${call} outcome=${outcome} />`}`;
}
