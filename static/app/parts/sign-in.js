/** Signing in at a desk or at the officer's page; a clerk does it by PIN on the tablet (clerk-sign-in.js). */
import { ByDirectory } from "./directory.js";
import { Door, PasswordField, Submit, TextField } from "./door.js";
import { ErrorNotice } from "./errors.js";
import { html, useState } from "./html.js";
import { Notice } from "./notice.js";
import { PasskeyButton, SecondStep } from "./second-step.js";
import { t } from "./words.js";

/**
 * @typedef {object} SignInApp
 * @property {"desk" | "officer"} page
 * @property {import("./html.js").Signal<import("./directory.js").Municipality[]>} municipalities
 * @property {import("./html.js").Signal<string | null>} error code of the last refusal
 * @property {import("./html.js").Signal<boolean>} busy
 * @property {(municipality: string | null, login: string, password: string) => void} signIn
 * @property {import("./html.js").Signal<import("./second-step.js").Half | null>} half how half a sign-in goes on
 * @property {import("./html.js").Signal<{possible: boolean}>} passkeys
 * @property {(code: string) => void} code
 * @property {() => void} passkey
 * @property {() => void} lost
 * @property {() => void} again
 * @property {(municipality: string) => void} byDirectory
 */

/** @param {{app: SignInApp, value: string, onPick: (slug: string) => void}} props */
function Municipality({ app, value, onPick }) {
  return html`<div class="field">
    <label for="municipality">${t("sign_in.municipality")}</label>
    <select id="municipality" onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => onPick(event.currentTarget.value)}>
      ${app.municipalities.value.map(
        ({ slug, name }) => html`<option key=${slug} value=${slug} selected=${slug === value}>${name}</option>`,
      )}
    </select>
  </div>`;
}

/** What stands above the fields: a refusal, or what is missing. @param {{app: SignInApp, missing: boolean}} props */
function Said({ app, missing }) {
  if (missing) return html`<${Notice} kind="warn" role="alert">${t("sign_in.need")}<//>`;
  return html`<${ErrorNotice} code=${app.error.value} />`;
}

/** @param {{app: SignInApp}} props */
export function SignIn({ app }) {
  const [slug, setSlug] = useState("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const { page } = app;
  const half = app.half.value;
  const all = app.municipalities.value;
  const chosen = slug || (all[0]?.slug ?? "");
  const wrong = app.error.value === "bad_credentials";
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    setMissing(!login.trim() || !password);
    if (app.busy.value || !login.trim() || !password) return;
    app.signIn(chosen, login.trim(), password);
    setPassword("");
  };
  if (half) return html`<${SecondStep} app=${app} half=${half} />`;
  const name = all.length === 1 ? all[0].name : "";
  const below = html`<p>${t(page === "officer" ? "sign_in.forgot.officer" : "sign_in.forgot")}</p>
    <p>${t("sign_in.log")}</p>`;
  return html`<${Door} name=${name} title=${t(page === "officer" ? "sign_in.officer" : "sign_in.title")} below=${below}>
    <form class="stack" onSubmit=${submit}>
      <p class="dim">${t(page === "officer" ? "sign_in.officer.what" : "sign_in.desk")}</p>
      <${Said} app=${app} missing=${missing} />
      ${all.length > 1 && html`<${Municipality} app=${app} value=${chosen} onPick=${setSlug} />`}
      <${TextField} id="login" label=${t("sign_in.login")} value=${login} onInput=${setLogin} autocomplete="username" invalid=${wrong} />
      <${PasswordField}
        id="password"
        label=${t("sign_in.password")}
        value=${password}
        onInput=${setPassword}
        autocomplete="current-password"
        hint=${t("sign_in.hint")}
        invalid=${wrong}
      />
      <${Submit} busy=${app.busy.value} label=${t("sign_in.go")} busyLabel=${t("sign_in.busy")} icon="key" />
      ${app.passkeys.value.possible && html`<${PasskeyButton} app=${app} />`}
      <${ByDirectory} municipality=${all.find((one) => one.slug === chosen)} busy=${app.busy.value} go=${app.byDirectory} />
    </form>
  <//>`;
}
