/** The second half of a sign-in: a code of the authenticator app, or a passkey. */
import { Door, Submit, TextField } from "./door.js";
import { ErrorNotice } from "./errors.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @typedef {import("./sign-in.js").SignInApp} SignInApp */
/** @typedef {{ways: string[], enrol: boolean, recovering: boolean, asked: boolean}} Half */

/** Enter by a passkey alone. @param {{app: SignInApp, primary?: boolean}} props */
export function PasskeyButton({ app, primary = false }) {
  return html`<button
    class=${`btn big wide ${primary ? "primary" : ""}`}
    type="button"
    aria-disabled=${app.busy.value ? "true" : undefined}
    onClick=${() => app.busy.value || app.passkey()}
  >
    <${Icon} name="person" />${t("step.passkey")}
  </button>`;
}

/** @param {{app: SignInApp}} props */
function CodeForm({ app }) {
  const [code, setCode] = useState("");
  const [missing, setMissing] = useState(false);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const six = code.replace(/\s/gu, "").length === 6;
    setMissing(!six);
    if (app.busy.value || !six) return;
    app.code(code);
    setCode("");
  };
  return html`<form class="stack" onSubmit=${submit}>
    ${missing && html`<${Notice} kind="warn" role="alert">${t("step.need")}<//>`}
    <${TextField}
      id="code"
      class="code-input digits"
      label=${t("step.code")}
      value=${code}
      onInput=${setCode}
      autocomplete="one-time-code"
      inputmode="numeric"
      invalid=${app.error.value === "bad_code"}
    />
    <${Submit} busy=${app.busy.value} label=${t("step.go")} busyLabel=${t("sign_in.busy")} icon="key" />
  </form>`;
}

/** Who has lost the factor asks here. @param {{app: SignInApp, half: Half}} props */
function Lost({ app, half }) {
  if (half.asked) return html`<${Notice} kind="info">${t("step.asked")}<//>`;
  return html`<details class="lost">
    <summary>${t("step.lost")}</summary>
    <p>${t("step.lost.what")}</p>
    <button class="btn plain" type="button" onClick=${() => app.lost()}><${Icon} name="people" />${t("step.ask")}</button>
  </details>`;
}

/** @param {{app: SignInApp, half: Half}} props */
export function SecondStep({ app, half }) {
  const codes = half.ways.includes("totp");
  const keys = half.ways.includes("passkey") && app.passkeys.value.possible;
  return html`<${Door} title=${t("step.title")} below=${html`<p>${t("sign_in.log")}</p>`}>
    <p>${t(codes ? (keys ? "step.what.both" : "step.what.code") : "step.what.passkey")}</p>
    <${ErrorNotice} code=${app.error.value} />
    ${codes && html`<${CodeForm} app=${app} />`}
    ${keys && html`<${PasskeyButton} app=${app} primary=${!codes} />`}
    ${!codes && !keys && html`<${Notice} kind="warn">${t("step.elsewhere")}<//>`}
    <${Lost} app=${app} half=${half} />
    <button class="btn quiet low" type="button" onClick=${() => app.again()}>${t("step.again")}</button>
  <//>`;
}
