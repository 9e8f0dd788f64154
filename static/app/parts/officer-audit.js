/** 監査ログ: search by time, person, office, action and call; the chain's state; export. */
import { fieldsOf, olderThan, queryOf } from "../lib/audit.js";
import { dateTime } from "../lib/format.js";
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { OfficerDeletions } from "./officer-deletions.js";
import { has, language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Entry} Entry */

/** What a tag stands for, else the tag. @param {string} tag */
function tagWords(tag) {
  const [source, ...rest] = tag.split(":");
  const key = source === "gate" ? `action.${rest.join(".")}` : `tag.${tag}`;
  return has(key) ? t(key) : tag;
}

/** Everybody by name and role. @param {OfficerApp} app */
function people(app) {
  return (app.policy.value?.people ?? []).map(({ id, name, role }) => ({ id, name: t("audit.person.one", { name, role: t(`role.${role}`) }) }));
}

/** One of those there are, or anybody. @param {{id: string, value: string, set: (text: string) => void, from: {id: string, name: string}[]}} props */
function Choice({ id, value, set, from }) {
  return html`<div class="field">
    <label for=${id}>${t(`audit.${id}`)}</label>
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => set(event.currentTarget.value)}>
      <option value="">${t("audit.any")}</option>
      ${from.map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === value}>${one.name}</option>`)}
    </select>
  </div>`;
}

/** @param {{app: OfficerApp}} props */
function Search({ app }) {
  const given = app.where.value.query;
  const [fields, setFields] = useState(fieldsOf(given));
  // Filled anew, not made anew: what was pressed keeps the focus.
  useEffect(() => setFields(fieldsOf(given)), [given]);
  const query = queryOf(fields, given);
  /** @param {keyof import("../lib/audit.js").Fields} key */
  const set = (key) => (/** @type {string} */ text) => setFields((was) => ({ ...was, [key]: text }));
  /** @param {keyof import("../lib/audit.js").Fields} key */
  const input = (key) => (/** @type {any} */ event) => set(key)(event.currentTarget.value);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    app.search(query);
  };
  return html`<form class="body row logsearch" role="search" onSubmit=${submit}>
    <div class="field"><label for="from">${t("audit.from")}</label><input id="from" type="date" value=${fields.from} onInput=${input("from")} /></div>
    <div class="field"><label for="to">${t("audit.to")}</label><input id="to" type="date" value=${fields.to} onInput=${input("to")} /></div>
    <div class="field"><label for="action">${t("audit.action")}</label><input id="action" type="text" value=${fields.action} placeholder="call.place" onInput=${input("action")} /></div>
    <${Choice} id="person" value=${fields.person} set=${set("person")} from=${people(app)} />
    <${Choice} id="office" value=${fields.office} set=${set("office")} from=${app.policy.value?.offices ?? []} />
    <div class="field"><label for="call">${t("audit.call")}</label><input id="call" type="text" class="mono" value=${fields.call} onInput=${input("call")} /></div>
    <label class="pick"><input type="checkbox" checked=${fields.refused} onChange=${() => setFields((was) => ({ ...was, refused: !was.refused }))} />${t("audit.refused")}</label>
    <button class="btn primary" type="submit"><${Icon} name="zoom" />${t("audit.go")}</button>
    <a class="btn plain" href=${`/api/v1/audit/export?page=officer&${query}`} download><${Icon} name="down" />CSV</a>
  </form>`;
}

/** Who did it; of a sign-in, of which nothing else is kept, whose it was. @param {OfficerApp} app @param {Entry} entry @param {Record<string, string>} names */
function whoDid(app, entry, names) {
  if (entry.person) return names[entry.person] ?? entry.person;
  return app.policy.value?.people.find(({ id }) => id === entry.subject)?.name ?? "";
}

/** @param {{app: OfficerApp, entry: Entry, names: Record<string, string>}} props */
function Row({ app, entry, names }) {
  const who = whoDid(app, entry, names);
  const said = entry.allowed === null ? "" : t(entry.allowed ? "audit.allowed" : "audit.denied");
  return html`<tr class=${entry.allowed === false ? "looser" : ""}>
    <td class="num mono">${entry.position}</td>
    <td class="nw">${dateTime(entry.at, language())}</td>
    <td>${tagWords(entry.tag)}<span class="key">${entry.tag}</span></td>
    <td>${who || "―"}${entry.role && html`<br /><span class="dim">${t(`role.${entry.role}`)}</span>`}</td>
    <td>${entry.address || "―"}</td>
    <td>${said}${entry.reasons.length > 0 && html`<br /><span class="dim">${entry.reasons.map((code) => t(`term.${code}`)).join("・")}</span>`}</td>
  </tr>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerAudit({ app }) {
  const log = app.log.value;
  const chain = app.chain.value;
  const last = log?.entries.at(-1);
  return html`<main class="dmain audit">
    <div class="stack">
      ${chain &&
      html`<${Notice} kind=${chain.whole ? "ok" : "stop"} role=${chain.whole ? undefined : "alert"} title=${t(chain.whole ? "tile.chain.whole" : "tile.chain.broken")}>
        ${chain.whole ? html`${t("tile.chain.entries", { n: chain.entries ?? 0 })} <span class="mono dim">${chain.head?.slice(0, 16)}…</span>` : chain.problem}
        <br />${chain.signed_at
          ? t(chain.signed === null ? "chain.signed_at" : "chain.signed", { n: chain.signed ?? 0, at: dateTime(chain.signed_at, language()) })
          : t("chain.unsigned")}
        ${chain.set_back && html`<br /><b>${t("chain.set_back", { n: chain.set_back })}</b>`}
      <//>`}
      <section class="panel">
        <header><h1>${t("officer.tab.audit")}</h1></header>
        <${Search} app=${app} />
        ${log && log.entries.length === 0 && html`<p class="body empty">${t("audit.none")}</p>`}
        ${log &&
        log.entries.length > 0 &&
        html`<table class="log">
            <caption class="vh">${t("officer.tab.audit")}</caption>
            <thead><tr>${["position", "at", "what", "who", "address", "said"].map((key) => html`<th key=${key} scope="col" class=${key === "position" ? "num" : ""}>${t(`audit.col.${key}`)}</th>`)}</tr></thead>
            <tbody>${log.entries.map((one) => html`<${Row} key=${one.position} app=${app} entry=${one} names=${log.names} />`)}</tbody>
          </table>
          ${log.more && last && html`<p class="body"><a class="btn plain" href=${`#audit?${olderThan(app.where.value.query, last.position)}`}>${t("audit.more")}</a></p>`}`}
      </section>
      <${OfficerDeletions} app=${app} />
    </div>
  </main>`;
}
