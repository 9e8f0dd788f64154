/** The clerk's zone: grey, beside the resident's and never mixed with it. Chat, files, devices. */
import { clerkLists } from "../lib/steps.js";
import { ChatForm, ChatLog, useRead } from "./chat.js";
import { ClerkSteps, clerkTitle } from "./clerk-sign-in.js";
import { DevicePicker } from "./devices.js";
import { Dialog } from "./dialog.js";
import { CounterFiles } from "./files.js";
import { heard } from "./flow.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { ResidentButton } from "./resident.js";
import { TabPanel, Tabs } from "./tabs.js";
import { PathNotice, TroubleNotice } from "./trouble.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */

/** @param {{app: CounterApp}} props */
function ClerkChat({ app }) {
  useRead(app);
  return html`<${ChatLog} app=${app} own="counter" /><${ChatForm} app=${app} own="counter" id="counter-chat" />`;
}

/** Which steps are done again since the line was lost. @param {{app: CounterApp}} props */
function Again({ app }) {
  const again = (app.store.steps.value?.steps ?? []).filter(({ id }) => app.reopened.value.includes(id));
  if (!again.length) return null;
  const names = again.map(({ title }) => title[language()]).join(t("steps.and"));
  return html`<${Notice} kind="warn" icon="refresh" small=${true} role="status">${t("steps.again.counter", { names })}<//>`;
}

/** 原本確認: what the clerk has touched and seen, each by itself. @param {{app: CounterApp, lists: ReturnType<typeof clerkLists>}} props */
function Originals({ app, lists }) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("originals.title")}>
    ${lists.map(
      ({ need, title, open }) => html`<fieldset class="checks" key=${`${need.step}-${need.need}`}>
        <legend>${title[language()]}${!open && html` <span class="dim">${t("originals.later")}</span>`}</legend>
        ${(need.items ?? []).map(
          ({ item, words, on }) => html`<label class="pick" key=${item}>
            <input type="checkbox" checked=${on} disabled=${!open} onChange=${() => app.tickOff(need, item, !on)} />${words[language()]}
          </label>`,
        )}
      </fieldset>`,
    )}
    <p class="dim">${t("originals.note")}</p>
  </div>`;
}

/** @param {{app: CounterApp}} props */
function ClerkDevices({ app }) {
  const { microphone } = app.media;
  return html`<div class="stack">
    <div class="pair">
      <button class="btn big" type="button" onClick=${app.device.flip}><${Icon} name="flip" />${t("device.flip")}</button>
      <button
        class="btn big"
        type="button"
        aria-pressed=${String(microphone.value !== "on")}
        onClick=${() => app.device.microphone(microphone.value !== "on")}
      >
        <${Icon} name=${microphone.value === "on" ? "mic" : "micoff"} />${t("device.mute")}
      </button>
    </div>
    <${DevicePicker} app=${app} />
  </div>`;
}

/** Another clerk signs in while the call goes on. @param {{app: CounterApp}} props */
function Shift({ app }) {
  const close = () => {
    app.clerk.back();
    app.shift.value = false;
  };
  const foot = html`<button class="btn big" type="button" onClick=${close}>${t("common.close")}</button>`;
  return html`<${Dialog} title=${clerkTitle(app.clerk)} onClose=${close} foot=${foot}>
    <p>${t("shift.what")}</p>
    <${ClerkSteps} clerk=${app.clerk} now=${app.now} />
  <//>`;
}

/** @param {{app: CounterApp}} props */
export function ClerkZone({ app }) {
  const lists = clerkLists(app.store.steps.value?.call === app.store.call.value?.id ? app.store.steps.value : null);
  const tab = app.clerkTab.value === "originals" && !lists.length ? "chat" : app.clerkTab.value;
  const setTab = (/** @type {string} */ id) => (app.clerkTab.value = id);
  const left = lists.reduce((sum, { need, open }) => sum + (open ? need.left : 0), 0);
  const unread = tab === "chat" ? 0 : app.store.unread.value;
  const arrived = app.store.fileList.value.length;
  return html`<section class="clerk" aria-label=${t("clerk.title")}>
    <div class="shift">
      <h2>${t("clerk.title")}</h2>
      <${ResidentButton} app=${app} />
      <button class="btn low" type="button" aria-haspopup="dialog" onClick=${() => (app.shift.value = true)}>
        <${Icon} name="person" />${t("shift.change")}
      </button>
    </div>
    ${app.shift.value && html`<${Shift} app=${app} />`}
    <${Tabs}
      name="clerk"
      label=${t("clerk.title")}
      current=${tab}
      onPick=${setTab}
      tabs=${[
        ...(lists.length ? [{ id: "originals", icon: "check", label: t("originals.title"), badge: tab === "originals" ? 0 : left, badgeLabel: t("originals.left") }] : []),
        { id: "chat", icon: "chat", label: t("chat.title"), badge: unread, badgeLabel: t("chat.new") },
        { id: "files", icon: "file", label: arrived ? t("files.title.n", { n: arrived }) : t("files.title") },
        { id: "devices", icon: "gear", label: t("device.title") },
      ]}
    />
    <${TabPanel} name="clerk" current=${tab} class="clerk-panel">
      <${PathNotice} app=${app} own="counter" />
      <${Again} app=${app} />
      <${TroubleNotice} app=${app} brief=${tab !== "devices"} />
      ${tab === "originals" && html`<${Originals} app=${app} lists=${lists} />`}
      ${tab === "chat" && html`<${ClerkChat} app=${app} />`}
      ${tab === "files" && html`<${CounterFiles} app=${app} />`}
      ${tab === "devices" && html`<${ClerkDevices} app=${app} />`}
    <//>
  </section>`;
}

/** While a PIN is typed the clerk has one thing to do. @param {{app: CounterApp}} props */
export function VeiledClerkZone({ app }) {
  const voice = app.media.microphone.value === "on" && heard(app.store.call.value?.parties.desk, app.media.state.value);
  return html`<section class="clerk veiled" aria-label=${t("clerk.title")}>
    <h2>${t("clerk.title")}</h2>
    <ul class="met">
      <li><${Icon} name="okc" />${t("veil.met.picture")}</li>
      <li><${Icon} name=${voice ? "speaker" : "micoff"} />${t(voice ? "veil.met.voice" : "veil.met.no_voice")}</li>
    </ul>
    <p><b>${t("veil.clerk.quiet")}</b> ${t("veil.clerk.look_away")}</p>
    <button class="btn primary big wide" type="button" onClick=${() => app.veil(false)}>
      <${Icon} name="camera" />${t("veil.end")}
    </button>
  </section>`;
}
