/** The link by which a lost second factor is set up anew: it opens with the password alone. */
import { ByDirectory } from "./directory.js";
import { Door, PasswordField, Submit } from "./door.js";
import { OpenLink } from "./entry.js";
import { ErrorNotice } from "./errors.js";
import { html, useState } from "./html.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @param {{app: import("./entry.js").EntryApp & {open: (password: string) => void, show: (slug: string) => void, directories: import("./html.js").Signal<import("./directory.js").Municipality[]>}, missing: boolean}} props */
export function OpenRecovery({ app, missing }) {
  const [password, setPassword] = useState("");
  const [lacks, setLacks] = useState(false);
  if (missing) return html`<${OpenLink} app=${app} missing=${true} />`;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    setLacks(!password);
    if (password && !app.busy.value) app.open(password);
    setPassword("");
  };
  return html`<${Door} title=${t("factor.title")}>
    <form class="stack" onSubmit=${submit}>
      <p>${t("factor.what")}</p>
      ${lacks ? html`<${Notice} kind="warn" role="alert">${t("factor.need")}<//>` : html`<${ErrorNotice} code=${app.error.value} />`}
      <${PasswordField} id="password" label=${t("sign_in.password")} value=${password} onInput=${setPassword} autocomplete="current-password" />
      <${Submit} busy=${app.busy.value} label=${t("factor.go")} busyLabel=${t("sign_in.busy")} icon="key" />
      ${app.directories.value.map((one) => html`<${ByDirectory} key=${one.slug} municipality=${one} busy=${app.busy.value} go=${app.show} />`)}
    </form>
  <//>`;
}
