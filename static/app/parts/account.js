/** One's own ways of signing in: passkeys and the authenticator app. */
import { Door, PasswordField, TextField } from "./door.js";
import { errorWords } from "./errors.js";
import { dateTime } from "../lib/format.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { QrCode } from "./qr.js";
import { language, t } from "./words.js";

/**
 * @typedef {{id: string, name: string, added_at: string, used_at: string | null}} Factor
 * @typedef {{totp: Factor | null, passkeys: Factor[], possible: {possible: boolean, why: string | null}, required: boolean, used: string | null, directory: string | null, fresh: boolean}} Factors
 * @typedef {{secret: string, uri: string, qr: string[]}} Offer
 *
 * @typedef {object} AccountApp
 * @property {boolean} half the first half of a sign-in goes on here
 * @property {string} back where the page leads back to
 * @property {import("./html.js").Signal<Factors | null>} factors
 * @property {import("./html.js").Signal<Offer | null>} offer
 * @property {import("./html.js").Signal<string | null>} error
 * @property {import("./html.js").Signal<string | null>} done what has just been done
 * @property {import("./html.js").Signal<boolean>} busy
 * @property {(password: string) => void} offerCode
 * @property {(code: string) => void} takeCode
 * @property {() => void} showDirectory
 * @property {() => void} dropOffer
 * @property {(name: string, password: string) => void} addPasskey
 * @property {(factor: string, password: string) => void} remove
 */

/** @param {Factor} factor */
const history = (factor) =>
  t(factor.used_at ? "account.used" : "account.unused", {
    added: dateTime(factor.added_at, language()),
    used: factor.used_at ? dateTime(factor.used_at, language()) : "",
  });

/** @param {{factor: Factor, icon: string, name: string, onRemove: (() => void) | null}} props */
function Row({ factor, icon, name, onRemove }) {
  return html`<li class="factor">
    <${Icon} name=${icon} />
    <div><b>${name}</b><span class="hint">${history(factor)}</span></div>
    ${onRemove && html`<button class="btn stop low" type="button" aria-label=${t("account.remove.label", { name })} onClick=${onRemove}>${t("account.remove")}</button>`}
  </li>`;
}

/** @param {{app: AccountApp, password: string, need: () => boolean}} props */
function Passkeys({ app, password, need }) {
  const [name, setName] = useState("");
  const { passkeys, possible } = /** @type {Factors} */ (app.factors.value);
  const add = () => {
    if (!need()) return;
    app.addPasskey(name.trim() || t("account.passkey.default"), password);
    setName("");
  };
  return html`<section class="stack" aria-labelledby="passkeys">
    <h2 id="passkeys"><${Icon} name="person" />${t("account.passkeys")}</h2>
    <p>${t("account.passkeys.what")}</p>
    ${passkeys.length > 0 &&
    html`<ul class="factors">
      ${passkeys.map(
        (one) =>
          html`<${Row} key=${one.id} factor=${one} icon="key" name=${one.name} onRemove=${app.half ? null : () => need() && app.remove(one.id, password)} />`,
      )}
    </ul>`}
    ${possible.possible
      ? html`<${TextField} id="name" label=${t("account.passkey.name")} value=${name} onInput=${setName} autocomplete="off" hint=${t("account.passkey.hint")} />
          <button class=${`btn wide ${app.half && !app.offer.value ? "primary" : ""}`} type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${add}>
            <${Icon} name="key" />${t("account.passkey.add")}
          </button>`
      : html`<${Notice} kind="info" small=${true}>${t(`account.why.${possible.why}`)}<//>`}
  </section>`;
}

/** @param {{app: AccountApp, offer: Offer}} props */
function FirstCode({ app, offer }) {
  const [code, setCode] = useState("");
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!app.busy.value && code.trim()) app.takeCode(code);
    setCode("");
  };
  return html`<form class="stack" onSubmit=${submit}>
    <div class="scan">
      <${QrCode} rows=${offer.qr} label=${t("account.code.qr")} />
      <div>
        <p>${t("account.code.scan")}</p>
        <details><summary>${t("account.code.type")}</summary><code class="mono">${offer.secret.replace(/(.{4})/gu, "$1 ").trim()}</code></details>
      </div>
    </div>
    <${TextField} id="code" class="digits" label=${t("account.code.first")} value=${code} onInput=${setCode} autocomplete="one-time-code" inputmode="numeric" invalid=${app.error.value === "bad_code"} />
    <div class="row wrap">
      <button class="btn primary" type="submit" aria-disabled=${app.busy.value ? "true" : undefined}><${Icon} name="check" />${t("account.code.go")}</button>
      <button class="btn plain" type="button" onClick=${app.dropOffer}>${t("account.code.drop")}</button>
    </div>
  </form>`;
}

/** @param {{app: AccountApp, password: string, need: () => boolean}} props */
function Codes({ app, password, need }) {
  const { totp } = /** @type {Factors} */ (app.factors.value);
  const offer = app.offer.value;
  return html`<section class="stack" aria-labelledby="codes">
    <h2 id="codes"><${Icon} name="phone" />${t("account.codes")}</h2>
    <p>${t("account.codes.what")}</p>
    ${totp &&
    html`<ul class="factors">
      <${Row} factor=${totp} icon="phone" name=${t("account.codes.one")} onRemove=${app.half ? null : () => need() && app.remove(totp.id, password)} />
    </ul>`}
    ${offer
      ? html`<${FirstCode} app=${app} offer=${offer} />`
      : html`<button class="btn wide" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${() => need() && app.offerCode(password)}>
          <${Icon} name="phone" />${t(totp ? "account.code.renew" : "account.code.add")}
        </button>`}
  </section>`;
}

/** @param {{app: AccountApp, missing: boolean}} props */
function Said({ app, missing }) {
  const code = app.error.value;
  if (missing) return html`<${Notice} kind="warn" role="alert">${t(app.factors.value?.directory ? "account.need.directory" : "account.need")}<//>`;
  if (code) return html`<${Notice} kind="stop" role="alert">${code === "bad_credentials" ? t("account.wrong") : errorWords(code)}<//>`;
  if (app.done.value) return html`<${Notice} kind="ok" role="status">${t(`account.done.${app.done.value}`)}<//>`;
  return app.half && html`<${Notice} kind="warn">${t("account.half")}<//>`;
}

/** In place of the password, where the directory knows who it is. @param {{app: AccountApp, fresh: boolean}} props */
function ByDirectory({ app, fresh }) {
  if (fresh) return html`<${Notice} kind="ok">${t("account.directory.fresh")}<//>`;
  return html`<div class="stack">
    <p>${t("account.directory.what")}</p>
    <button class="btn primary wide" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${app.showDirectory}>
      <${Icon} name="desk" />${t("account.directory.go")}
    </button>
  </div>`;
}

/** @param {{app: AccountApp}} props */
export function Account({ app }) {
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const factors = app.factors.value;
  const need = () => {
    const lacks = !app.half && (factors?.directory ? !factors.fresh : !password);
    setMissing(lacks);
    if (lacks) document.getElementById("password")?.focus();
    return !lacks && !app.busy.value;
  };
  if (!factors) return html`<${Door} title=${t("account.title")}><p role="status">${t("officer.loading")}</p><//>`;
  const below = html`${!app.half && html`<p><a href=${app.back}>${t("account.back")}</a></p>`}<p>${t("account.log")}</p>`;
  return html`<${Door} title=${t(app.half ? "account.title.half" : "account.title")} wide=${true} below=${below}>
    <${Said} app=${app} missing=${missing} />
    ${!app.half && factors.directory && html`<${ByDirectory} app=${app} fresh=${factors.fresh} />`}
    ${!app.half &&
    !factors.directory &&
    html`<${PasswordField} id="password" label=${t("account.password")} value=${password} onInput=${setPassword} autocomplete="current-password" hint=${t("account.password.hint")} invalid=${missing || app.error.value === "bad_credentials"} />`}
    <div class="ways-own">
      <${Passkeys} app=${app} password=${password} need=${need} />
      <${Codes} app=${app} password=${password} need=${need} />
    </div>
  <//>`;
}
