/** 連携: where facts go, keys by which other systems read, and what could not be told. */
import { dateTime } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { TextField } from "./door.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { SystemsPage } from "./systems-page.js";
import { has, language, t } from "./words.js";

/**
 * @typedef {{id: string, name: string, url: string, types: string[], training: boolean, public_key: string, previous_until: string | null, listed: boolean}} Webhook
 * @typedef {{id: string, destination: string, type: string, subject: string, number: string | null, at: string, state: string, tries: number, next_at: string | null, problem: string | null, held: number}} Delivery
 * @typedef {{webhooks: Webhook[], standing: string[], figures: Record<string, Record<string, number>>, troubled: Delivery[], policy: {destinations: string[], private_networks: string[], content: string}}} Hooks
 * @typedef {{id: string, name: string, scopes: string[], networks: string[], expires_at: string, revoked_at: string | null, used_at: string | null, counts: boolean}} Token
 * @typedef {{kind: "secret" | "token", name: string, text: string, publicKey: string}} Once
 * @typedef {ReturnType<typeof import("../pages/systems.js").createSystems>} Systems
 * @typedef {Systems & {
 *   hooks: import("./html.js").Signal<Hooks | null>, tokens: import("./html.js").Signal<{tokens: Token[], scopes: string[], bundle_networks: string[]} | null>,
 *   once: import("./html.js").Signal<Once | null>,
 *   add: (body: any) => Promise<boolean>, rotate: (hook: string) => void, test: (hook: string) => void, remove: (hook: string) => void,
 *   deliver: (delivery: string, what: "retry" | "give-up") => void, makeToken: (body: any) => Promise<boolean>, revoke: (token: string) => void,
 * }} HooksApp
 */

/** What a code of a failed try means. @param {string | null} problem */
function problemWords(problem) {
  if (!problem) return "";
  if (problem.startsWith("status_")) return t("hooks.problem.status", { status: problem.slice(7) });
  const key = `hooks.problem.${problem.split(" ")[0]}`;
  return has(key) ? t(key) : t("hooks.problem.other", { code: problem });
}

/** @param {{once: Once, onClose: () => void}} props */
function ShownOnce({ once, onClose }) {
  const foot = html`<button class="btn primary" type="button" onClick=${onClose}>${t("hooks.once.done")}</button>`;
  return html`<${Dialog} title=${t(`hooks.once.${once.kind}`, { name: once.name })} onClose=${onClose} foot=${foot}>
    <div class="once">
      <p>${t("hooks.once.what")}</p>
      <code>${once.text}</code>
      ${once.publicKey && html`<p>${t("hooks.once.public")}</p><code>${once.publicKey}</code>`}
    </div>
  <//>`;
}

/** @param {{app: HooksApp, hooks: Hooks, change: boolean}} props */
function Destinations({ app, hooks, change }) {
  return html`<section class="panel" aria-labelledby="destinations">
    <header><h1 id="destinations">${t("hooks.title")}</h1><span class="dim">${t("hooks.what")}</span></header>
    ${hooks.policy.destinations.length === 0 && html`<div class="owarn"><${Notice} kind="warn" title=${t("hooks.none_listed")}>${t("hooks.none_listed.what")}<//></div>`}
    ${hooks.webhooks.length === 0
      ? html`<p class="body empty">${t("hooks.none")}</p>`
      : html`<table>
          <caption class="vh">${t("hooks.title")}</caption>
          <thead><tr>${["name", "url", "waiting", "do"].map((key) => html`<th key=${key} scope="col">${t(`hooks.col.${key}`)}</th>`)}</tr></thead>
          <tbody>${hooks.webhooks.map((one) => html`<${Destination} key=${one.id} app=${app} one=${one} figures=${hooks.figures[`webhook:${one.id}`] ?? {}} change=${change} />`)}</tbody>
        </table>`}
    ${hooks.standing.length > 0 && html`<p class="body">${t("hooks.standing", { names: hooks.standing.map((one) => (one === "folder" ? t("hooks.folder") : one.replace("plugin:", ""))).join(language() === "ja" ? "・" : ", ") })}</p>`}
    ${change && html`<${NewWebhook} app=${app} />`}
  </section>`;
}

/** @param {{app: HooksApp, one: Webhook, figures: Record<string, number>, change: boolean}} props */
function Destination({ app, one, figures, change }) {
  const [removing, setRemoving] = useState(false);
  const dead = figures.dead ?? 0;
  return html`<tr>
    <th scope="row">${one.name}${one.training && html`<span class="small">${t("hooks.with_training")}</span>`}</th>
    <td class="long"><code>${one.url}</code>
      ${!one.listed && html`<span class="chip stop"><${Icon} name="alert" />${t("hooks.not_listed")}</span>`}
      ${one.previous_until && html`<span class="small">${t("hooks.two_secrets", { at: dateTime(one.previous_until, language()) })}</span>`}
    </td>
    <td>${t("hooks.waiting", { count: figures.waiting ?? 0 })}${dead > 0 && html`<br /><span class="chip stop"><${Icon} name="alert" />${t("hooks.dead", { count: dead })}</span>`}</td>
    <td>
      ${change &&
      html`<div class="acts">
        <button class="btn low" type="button" onClick=${() => app.test(one.id)}>${t("hooks.test")}</button>
        <button class="btn low" type="button" onClick=${() => app.rotate(one.id)}>${t("hooks.rotate")}</button>
        <button class="btn stop low" type="button" onClick=${() => setRemoving(true)}>${t("hooks.remove")}</button>
      </div>`}
      ${removing &&
      html`<${Dialog} title=${t("hooks.remove.title", { name: one.name })} onClose=${() => setRemoving(false)}
        foot=${html`<button class="btn" type="button" onClick=${() => setRemoving(false)}>${t("hooks.keep")}</button><button class="btn stop" type="button" onClick=${() => app.remove(one.id)}>${t("hooks.remove")}</button>`}
        ><p>${t("hooks.remove.what")}</p><//>`}
    </td>
  </tr>`;
}

/** @param {{app: HooksApp}} props */
function NewWebhook({ app }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [training, setTraining] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!(await app.add({ name: name.trim(), url: url.trim(), training }))) return;
    setName("");
    setUrl("");
  };
  return html`<form class="hform" onSubmit=${submit} aria-label=${t("hooks.add")}>
    <div class="two">
      <${TextField} id="hook-name" label=${t("hooks.field.name")} value=${name} onInput=${setName} autocomplete="off" />
      <${TextField} id="hook-url" label=${t("hooks.field.url")} value=${url} onInput=${setUrl} autocomplete="off" inputmode="url" />
    </div>
    <label class="pick"><input type="checkbox" checked=${training} onChange=${() => setTraining(!training)} />${t("hooks.field.training")}</label>
    <button class="btn primary" type="submit" aria-disabled=${app.busy.value ? "true" : undefined}>${t("hooks.add")}</button>
  </form>`;
}

/** @param {{app: HooksApp, hooks: Hooks, change: boolean}} props */
function Troubled({ app, hooks, change }) {
  const names = Object.fromEntries(hooks.webhooks.map((one) => [`webhook:${one.id}`, one.name]));
  const where = (/** @type {string} */ to) => names[to] ?? (to === "folder" ? t("hooks.folder") : to.replace("plugin:", ""));
  return html`<section class="panel" aria-labelledby="troubled">
    <header><h2 id="troubled">${t("hooks.troubled")}</h2><span class="dim">${t("hooks.troubled.what")}</span></header>
    ${hooks.troubled.length === 0
      ? html`<p class="body"><span class="chip ok"><${Icon} name="okc" />${t("hooks.troubled.none")}</span></p>`
      : html`<table>
          <caption class="vh">${t("hooks.troubled")}</caption>
          <thead><tr>${["number", "to", "problem", "next", "do"].map((key) => html`<th key=${key} scope="col">${t(`hooks.col.${key}`)}</th>`)}</tr></thead>
          <tbody>
            ${hooks.troubled.map(
              (one) => html`<tr key=${one.id}>
                <th scope="row">${one.number ?? t("hooks.test")}<span class="small">${dateTime(one.at, language())}</span></th>
                <td>${where(one.destination)}</td>
                <td>${problemWords(one.problem)}<span class="small">${t("hooks.tries", { count: one.tries })}${one.held > 0 ? t("hooks.held", { count: one.held }) : ""}</span></td>
                <td>${one.next_at ? dateTime(one.next_at, language()) : html`<span class="chip stop"><${Icon} name="alert" />${t("hooks.stopped")}</span>`}</td>
                <td>
                  ${change &&
                  html`<div class="acts">
                    <button class="btn low" type="button" onClick=${() => app.deliver(one.id, "retry")}>${t("hooks.retry")}</button>
                    <button class="btn low" type="button" onClick=${() => app.deliver(one.id, "give-up")}>${t("hooks.give_up")}</button>
                  </div>`}
                </td>
              </tr>`,
            )}
          </tbody>
        </table>`}
  </section>`;
}

/** Into which networks records go, which officers decide. @param {{networks: string[]}} props */
function BundleNetworks({ networks }) {
  if (networks.length > 0) return html`<p class="body">${t("tokens.bundles.from", { networks: networks.join(language() === "ja" ? "・" : ", ") })}</p>`;
  return html`<div class="owarn"><${Notice} kind="info" title=${t("tokens.bundles.none")}>${t("tokens.bundles.none.what")}<//></div>`;
}

/** @param {{app: HooksApp, change: boolean}} props */
function Tokens({ app, change }) {
  const tokens = app.tokens.value?.tokens ?? [];
  return html`<section class="panel" aria-labelledby="tokens">
    <header><h2 id="tokens">${t("tokens.title")}</h2><span class="dim">${t("tokens.what")}</span></header>
    ${app.tokens.value && html`<${BundleNetworks} networks=${app.tokens.value.bundle_networks} />`}
    ${tokens.length === 0
      ? html`<p class="body empty">${t("tokens.none")}</p>`
      : html`<table>
          <caption class="vh">${t("tokens.title")}</caption>
          <thead><tr>${["name", "scopes", "networks", "until", "do"].map((key) => html`<th key=${key} scope="col">${t(`tokens.col.${key}`)}</th>`)}</tr></thead>
          <tbody>
            ${tokens.map(
              (one) => html`<tr key=${one.id}>
                <th scope="row">${one.name}<span class="small">${one.used_at ? t("tokens.used", { at: dateTime(one.used_at, language()) }) : t("tokens.unused")}</span></th>
                <td>${one.scopes.map((scope) => html`<div key=${scope}>${t(`tokens.scope.${scope}`)}</div>`)}</td>
                <td class="long">${one.networks.map((network) => html`<div key=${network}><code>${network}</code></div>`)}</td>
                <td>${dateTime(one.expires_at, language())}</td>
                <td>${one.counts ? change && html`<button class="btn stop low" type="button" onClick=${() => app.revoke(one.id)}>${t("tokens.revoke")}</button>` : html`<span class="chip"><${Icon} name="xc" />${t(one.revoked_at ? "tokens.is_revoked" : "tokens.is_over")}</span>`}</td>
              </tr>`,
            )}
          </tbody>
        </table>`}
    ${change && html`<${NewToken} app=${app} />`}
  </section>`;
}

/** @param {{app: HooksApp}} props */
function NewToken({ app }) {
  const [name, setName] = useState("");
  const [networks, setNetworks] = useState("");
  const [scopes, setScopes] = useState(/** @type {string[]} */ (["counts"]));
  const [days, setDays] = useState("365");
  const flip = (/** @type {string} */ scope) => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { name: name.trim(), scopes, networks: networks.split(/[\s,、]+/).filter(Boolean), days: Number(days) };
    if (await app.makeToken(body)) setName("");
  };
  return html`<form class="hform" onSubmit=${submit} aria-label=${t("tokens.make")}>
    <div class="two">
      <${TextField} id="token-name" label=${t("tokens.field.name")} value=${name} onInput=${setName} autocomplete="off" />
      <${TextField} id="token-networks" label=${t("tokens.field.networks")} value=${networks} onInput=${setNetworks} autocomplete="off" />
    </div>
    <fieldset class="row"><legend>${t("tokens.field.scopes")}</legend>
      ${(app.tokens.value?.scopes ?? []).map((scope) => html`<label key=${scope} class="pick"><input type="checkbox" checked=${scopes.includes(scope)} onChange=${() => flip(scope)} />${t(`tokens.scope.${scope}`)}</label>`)}
    </fieldset>
    <div class="two"><${TextField} id="token-days" label=${t("tokens.field.days")} value=${days} onInput=${setDays} autocomplete="off" inputmode="numeric" /></div>
    <button class="btn primary" type="submit" aria-disabled=${app.busy.value ? "true" : undefined}>${t("tokens.make")}</button>
  </form>`;
}

/** @param {{app: HooksApp}} props */
export function HooksPage({ app }) {
  const hooks = app.hooks.value;
  const change = app.you.value?.person.role === "administrator";
  return html`<${SystemsPage} here="hooks" page=${app.page} you=${app.you.value} error=${app.error.value} toasts=${app.toasts} signOut=${app.signOut}>
    ${hooks &&
    html`<main class="dmain change alone stack">
      <${Destinations} app=${app} hooks=${hooks} change=${change} />
      <${Troubled} app=${app} hooks=${hooks} change=${change} />
      <${Tokens} app=${app} change=${change} />
    </main>`}
    ${app.once.value && html`<${ShownOnce} once=${app.once.value} onClose=${() => (app.once.value = null)} />`}
  <//>`;
}
