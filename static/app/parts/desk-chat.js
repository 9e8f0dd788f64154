/** Chat at the desk, with the sentences to tap (定型文). */
import { ChatForm, ChatLog, useRead } from "./chat.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { TEMPLATES, templateText } from "./templates.js";
import { language, t } from "./words.js";

/** Shown without opening the list. */
const FIRST = 3;

/** @param {{app: import("./model.js").DeskApp}} props */
function Templates({ app }) {
  const [all, setAll] = useState(false);
  const shown = all ? TEMPLATES : TEMPLATES.slice(0, FIRST);
  return html`<div class="tmpl" role="group" aria-label=${t("template.title")}>
    ${shown.map(
      ({ id }) =>
        html`<button
          key=${id}
          class="btn low"
          type="button"
          title=${templateText(id, language())}
          onClick=${() => {
            app.chat.send(templateText(id, "ja"));
            setAll(false);
          }}
        >
          ${t(`template.${id}.label`)}
        </button>`,
    )}
    <button class="btn plain low" type="button" aria-expanded=${String(all)} onClick=${() => setAll(!all)}>
      ${t(all ? "template.less" : "template.more")}
    </button>
  </div>`;
}

/** The lines, the sentences to tap, the line to write on. @param {{app: import("./model.js").DeskApp, me?: string}} props `me`: the party that this page is */
export function ChatBody({ app, me = "desk" }) {
  useRead(app);
  return html`<${ChatLog} app=${app} own="desk" me=${me} />
    <${Templates} app=${app} />
    <${ChatForm} app=${app} own="desk" id="desk-chat" />`;
}

/** @param {{app: import("./model.js").DeskApp, me?: string}} props */
export function DeskChat({ app, me = "desk" }) {
  const unread = app.store.unread.value;
  return html`<section class="panel chat-panel" aria-label=${t("chat.title")}>
    <header>
      <h2><${Icon} name="chat" />${t("chat.title")}</h2>
      ${unread > 0 && html`<span class="badge">${unread}<span class="vh">${t("chat.new")}</span></span>`}
    </header>
    <${ChatBody} app=${app} me=${me} />
  </section>`;
}
