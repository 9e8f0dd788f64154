/** Small pages on the way in: enrolling the tablet, a link that fails, the first password, the start page. */
import { Door, PasswordField, Submit, TextField } from "./door.js";
import { ErrorNotice } from "./errors.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/**
 * @typedef {object} EntryApp
 * @property {import("./html.js").Signal<boolean>} busy
 * @property {import("./html.js").Signal<string | null>} error
 */

/**
 * @param {{app: EntryApp & {done: import("./html.js").Signal<import("../lib/protocol.js").CounterYou | null>, enrol: (code: string) => void}}} props
 */
export function Enrol({ app }) {
  const [code, setCode] = useState("");
  const [missing, setMissing] = useState(false);
  const you = app.done.value;
  if (you) {
    return html`<${Door} name=${you.municipality.name} title=${t("enrol.done")}>
      <${Notice} kind="ok">${t("enrol.done.what", { office: you.office.name, tablet: you.tablet.name })}<//>
      <a class="btn primary big wide" href="/counter"><${Icon} name="key" />${t("enrol.next")}</a>
    <//>`;
  }
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    setMissing(!code.trim());
    if (!app.busy.value && code.trim()) app.enrol(code.trim());
  };
  return html`<${Door} title=${t("enrol.title")}>
    <form class="stack" onSubmit=${submit}>
      <p>${t("enrol.what")}</p>
      ${missing ? html`<${Notice} kind="warn" role="alert">${t("enrol.need")}<//>` : html`<${ErrorNotice} code=${app.error.value} />`}
      <${TextField}
        id="code"
        class="code-input"
        label=${t("enrol.code")}
        value=${code}
        onInput=${setCode}
        autocomplete="one-time-code"
        invalid=${app.error.value === "code_unknown"}
      />
      <${Submit} busy=${app.busy.value} label=${t("enrol.go")} busyLabel=${t("enrol.busy")} icon="tablet" />
    </form>
  <//>`;
}

/** @param {{app: EntryApp, missing: boolean}} props */
export function OpenLink({ app, missing }) {
  const failed = missing || app.error.value !== null;
  return html`<${Door} title=${t(failed ? "link.failed" : "link.opening")}>
    ${missing && html`<${Notice} kind="warn" role="alert">${t("link.missing")}<//>`}
    <${ErrorNotice} code=${app.error.value} />
    ${failed
      ? html`<a class="btn wide" href="/"><${Icon} name="left" />${t("common.back")}</a>`
      : html`<p class="row" role="status"><${Icon} name="refresh" class="turning" />${t("link.what")}</p>`}
  <//>`;
}

/** The same limit as security/password_rule.py. */
const MIN_CHARACTERS = 12;

/**
 * @param {{app: EntryApp & {done: import("./html.js").Signal<boolean>, save: (password: string) => void}, missing: boolean}} props
 */
export function SetPassword({ app, missing }) {
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [wrong, setWrong] = useState("");
  if (missing) return html`<${OpenLink} app=${app} missing=${true} />`;
  if (app.done.value) {
    return html`<${Door} title=${t("password.done")}>
      <${Notice} kind="ok">${t("password.done.what")}<//>
      <a class="btn primary big wide" href="/">${t("password.next")}</a>
    <//>`;
  }
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const found = [...first].length < MIN_CHARACTERS ? "short" : first === second ? "" : "differ";
    setWrong(found);
    if (!found && !app.busy.value) app.save(first);
  };
  return html`<${Door} title=${t("password.title")}>
    <form class="stack" onSubmit=${submit}>
      ${wrong ? html`<${Notice} kind="warn" role="alert">${t(`password.${wrong}`)}<//>` : html`<${ErrorNotice} code=${app.error.value} />`}
      <${PasswordField}
        id="new"
        label=${t("password.new")}
        value=${first}
        onInput=${setFirst}
        autocomplete="new-password"
        hint=${t("password.hint")}
        invalid=${wrong === "short"}
      />
      <${PasswordField} id="again" label=${t("password.again")} value=${second} onInput=${setSecond} autocomplete="new-password" invalid=${wrong === "differ"} />
      <${Submit} busy=${app.busy.value} label=${t("password.go")} busyLabel=${t("password.busy")} icon="key" />
    </form>
  <//>`;
}

/** Where one begins. */
export function Start() {
  const ways = [
    ["counter", "tablet"],
    ["desk", "desk"],
    ["officer", "key"],
  ];
  return html`<${Door} title=${t("index.title")} wide=${true}>
    <nav class="ways" aria-label=${t("index.title")}>
      ${ways.map(
        ([page, icon]) =>
          html`<a key=${page} href=${`/${page}`}><${Icon} name=${icon} /><b>${t(`index.${page}`)}</b><span>${t(`index.${page}.what`)}</span></a>`,
      )}
    </nav>
  <//>`;
}
