/** Beside the picture of a call: third parties, what is missing, and below in tabs chat, files, cards and the chip's result. */
import { ChatBody, DeskChat } from "./desk-chat.js";
import { DeskCards } from "./desk-cards.js";
import { ChipResult } from "./desk-chip.js";
import { useDrops } from "./drop.js";
import { FilesBody, SendFile } from "./files.js";
import { Others } from "./guests.js";
import { html } from "./html.js";
import { ResidentBody } from "./resident.js";
import { Earlier } from "./steps-earlier.js";
import { Missing } from "./steps-missing.js";
import { TabPanel, Tabs } from "./tabs.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */

/** Which tabs there are: on a wide screen the chat stands beside them, in training a register. @param {boolean} wide @param {boolean} [training] */
export const tabsOf = (wide, training = false) => [...(wide ? [] : ["chat"]), "files", "cards", "chip", ...(training ? ["register"] : [])];

/** @param {{app: DeskApp}} props */
function Side({ app }) {
  const { unread, fileList } = app.store;
  const over = useDrops((files) => {
    app.sideTab.value = "files";
    app.files.add(files);
  });
  const ids = tabsOf(app.wide.value, app.store.call.value?.training);
  const current = ids.includes(app.sideTab.value) ? app.sideTab.value : ids[0];
  const count = fileList.value.length;
  const look = {
    chat: { id: "chat", icon: "chat", label: t("chat.title"), badge: current === "chat" ? 0 : unread.value, badgeLabel: t("chat.new") },
    files: { id: "files", icon: "file", label: count ? t("files.title.n", { n: count }) : t("files.title") },
    cards: { id: "cards", icon: "card", label: t("cards.title") },
    register: { id: "register", icon: "grad", label: t("resident.tab") },
    chip: { id: "chip", icon: "chip", label: t("chip.tab") },
  };
  return html`<section class="panel grow ${over ? "over" : ""}" aria-label=${t("side.call")}>
    <${Tabs} name="desk" label=${t("side.call")} current=${current} onPick=${(/** @type {string} */ id) => (app.sideTab.value = id)} tabs=${ids.map((id) => look[/** @type {"chat"} */ (id)])} />
    <${TabPanel} name="desk" current=${current} class="side-panel">
      ${current === "chat" && html`<${ChatBody} app=${app} />`}
      ${current === "files" && html`<div class="row side-head"><${SendFile} app=${app} /></div><${FilesBody} app=${app} over=${over} />`}
      ${current === "register" && html`<div class="scroll"><${ResidentBody} app=${app} /></div>`}
      ${current === "cards" && html`<${DeskCards} app=${app} />`}
      ${current === "chip" && html`<${ChipResult} app=${app} />`}
    <//>
  </section>`;
}

/** @param {{app: DeskApp}} props */
export function DeskAside({ app }) {
  return html`<div class="side">
    <${Others} app=${app} own="desk" manage=${app.uninvite} />
    <${Earlier} app=${app} />
    <${Missing} app=${app} />
    <${Side} app=${app} />
    ${app.wide.value && html`<${DeskChat} app=${app} />`}
  </div>`;
}
