/** Every setting in force: what deviates first, what is the same folded, and a change drawn up beside it. */
import { deviating, grouped, refusals, settingsOf } from "../lib/policy.js";
import { date } from "../lib/format.js";
import { codeOf } from "./errors.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { OfficerEdit } from "./officer-edit.js";
import { has, language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Setting} Setting */

const COLUMNS = ["setting", "value", "from", "standing", "clause", "counts"];
const SIGNS = { looser: ["stop", "alert"], to_set: ["warn", "alert"], stricter: ["here", "key"], different: ["", "info"], same: ["", "okc"] };

/** @param {{standing: keyof typeof SIGNS}} props */
export function Standing({ standing }) {
  if (standing === "same") return html`<span class="dim">${t("standing.same")}</span>`;
  const [kind, sign] = SIGNS[standing];
  return html`<span class=${`chip ${kind}`}><${Icon} name=${sign} />${t(`standing.${standing}`)}</span>`;
}

/** @param {{setting: Setting, mayRead: boolean}} props */
function Counts({ setting, mayRead }) {
  const { counts } = setting;
  if (!counts) return html`<span class="dim small">${t("officer.counts.value")}</span>`;
  return [1, 7, 30].map((days) => {
    const found = counts[String(days)] ?? { asked: 0, refused: 0 };
    const text = t("officer.counts.days", { days, ...found });
    const since = encodeURIComponent(new Date(Date.now() - days * 86_400_000).toISOString());
    return found.refused && mayRead
      ? html`<a key=${days} class="nw" href=${`#audit?refused=1&setting=${setting.key}&from=${since}`}>${text}</a>`
      : html`<span key=${days} class="nw">${text}</span>`;
  });
}

/** Where a setting is enforced, in words; "" while it is nowhere yet. @param {Setting} setting */
export function enforcedWords(setting) {
  const named = (/** @type {string} */ place) => (has(`action.${place}`) ? t(`action.${place}`) : place);
  const where = setting.enforced.split(", ").filter(Boolean).map(named).join(language() === "ja" ? "、" : ", ");
  return where && t("officer.enforced", { where });
}

/** @param {{app: OfficerApp, setting: Setting, onEdit: (setting: Setting) => void}} props */
export function Row({ app, setting, onEdit }) {
  const lang = language();
  const edited = app.edits.value[setting.key];
  const mayRead = app.you.value?.person.role !== "administrator";
  return html`<tr class=${edited ? "edited" : setting.standing}>
    <th scope="row">
      ${setting.name[lang]}<span class="key">${setting.key}</span><span class="dim small">${setting.protects[lang]}</span><span class="dim small">${enforcedWords(setting)}</span>
      ${!setting.in_effect && html`<span class="chip warn"><${Icon} name="clock" />${t("officer.not_yet")}</span> <span class="dim">${setting.waits?.[language()]}</span>`}
    </th>
    <td class="val">
      ${setting.words[lang]}
      ${app.you.value?.appointed &&
      html`<button class="btn low plain" type="button" onClick=${() => onEdit(setting)} aria-label=${t("officer.edit.label", { name: setting.name[lang] })}>
        ${t("officer.edit")}
      </button>`}
    </td>
    <td>
      ${t(setting.set_here ? "officer.from.here" : "officer.from.default")}
      ${setting.looser && html`<br /><span class="dim">${t("officer.until", { date: date(setting.looser.until, lang) })}</span>`}
    </td>
    <td>
      <${Standing} standing=${setting.standing} />
      ${setting.standing !== "same" && html`<br /><span class="dim">${t("officer.baseline", { value: setting.baseline_words[lang] })}</span>`}
    </td>
    <td>${setting.source === "own" ? t("officer.source.own") : setting.source}${setting.clause && html`<br /><b>${setting.clause}</b>`}</td>
    <td class="num counts"><${Counts} setting=${setting} mayRead=${mayRead} /></td>
  </tr>`;
}

/** @param {{app: OfficerApp, settings: Setting[], caption: string, onEdit: (setting: Setting) => void}} props */
function Table({ app, settings, caption, onEdit }) {
  return html`<table class="policy cols">
    <caption class="vh">${caption}</caption>
    <thead><tr>${COLUMNS.map((key) => html`<th key=${key} scope="col" class=${key === "counts" ? "num" : ""}>${t(`officer.col.${key}`)}</th>`)}</tr></thead>
    <tbody>${settings.map((one) => html`<${Row} key=${one.key} app=${app} setting=${one} onEdit=${onEdit} />`)}</tbody>
  </table>`;
}

/** @param {{kind: string, count: number | string, title: string, what: string, href: string}} props */
function Tile({ kind, count, title, what, href }) {
  return html`<a class=${kind} href=${href}><b>${count}</b><span class="t">${title}</span><span>${what}</span></a>`;
}

/** @param {{app: OfficerApp}} props */
function Tiles({ app }) {
  const policy = /** @type {import("./officer-model.js").Policy} */ (app.policy.value);
  const groups = grouped(policy);
  const drafts = app.versions.value?.versions.filter((one) => one.state === "draft") ?? [];
  const mine = drafts.filter((one) => one.author.id !== app.you.value?.person.id).length;
  const chain = app.chain.value;
  const expired = (groups.get("looser") ?? []).filter((one) => one.looser && one.looser.until < new Date().toISOString().slice(0, 10));
  return html`<div class="summary">
    <${Tile} kind="stop" href="#policy" count=${groups.get("looser")?.length ?? 0} title=${t("tile.looser")} what=${t("tile.expired", { n: expired.length })} />
    <${Tile} kind="warn" href="#policy" count=${policy.unset.length} title=${t("tile.unset")} what=${t("tile.unset.what")} />
    <${Tile} kind="here" href="#change" count=${drafts.length} title=${t("tile.drafts")} what=${t(mine ? "tile.drafts.yours" : "tile.drafts.none")} />
    ${chain &&
    html`<${Tile}
      kind=${chain.whole ? "ok" : "stop"}
      href="#audit"
      count=${html`<${Icon} name=${chain.whole ? "okc" : "xc"} class="large" />`}
      title=${t(chain.whole ? "tile.chain.whole" : "tile.chain.broken")}
      what=${chain.whole ? t("tile.chain.entries", { n: chain.entries ?? 0 }) : chain.problem ?? ""}
    />`}
  </div>`;
}

/** The change being drawn up: what is in it, why, and sending it to the second officer. @param {{app: OfficerApp}} props */
function Basket({ app }) {
  const [note, setNote] = useState("");
  const [sure, setSure] = useState(false);
  const warned = codeOf(app.error.value) === "shuts_out";
  const keys = Object.keys(app.edits.value);
  if (keys.length === 0) return null;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (note.trim() && (sure || !warned)) void app.submit(note.trim(), sure);
  };
  return html`<form class="panel basket" onSubmit=${submit}>
    <header><h2>${t("basket.title", { n: keys.length })}</h2></header>
    <div class="body row">
      <div class="field grow">
        <label for="note">${t("basket.note")}</label>
        <input id="note" type="text" maxlength="1000" required value=${note} onInput=${(/** @type {any} */ e) => setNote(e.currentTarget.value)} />
      </div>
      <button class="btn primary" type="submit" aria-disabled=${note.trim() && !app.busy.value ? undefined : "true"}><${Icon} name="send" />${t("basket.send")}</button>
      <button class="btn plain" type="button" onClick=${app.dropEdits}>${t("basket.drop")}</button>
      ${(warned || sure) && html`<label class="pick"><input type="checkbox" checked=${sure} onChange=${() => setSure(!sure)} />${t("shut_out.sure.draft")}</label>`}
    </div>
  </form>`;
}

/** @param {{app: OfficerApp, group: string, settings: Setting[], onEdit: (setting: Setting) => void}} props */
function Group({ app, group, settings, onEdit }) {
  if (settings.length === 0) return null;
  const title = t(`officer.group.${group}`, { n: settings.length });
  return html`<section class="panel" id=${group}>
    <header><h2>${title}</h2>${group === "looser" && html`<span class="dim">${t("officer.group.looser.what")}</span>`}</header>
    <${Table} app=${app} settings=${settings} caption=${title} onEdit=${onEdit} />
  </section>`;
}

/** Settings as the baseline has them, by section, folded. @param {{app: OfficerApp, open: string, onEdit: (setting: Setting) => void}} props */
function Same({ app, open, onEdit }) {
  const policy = /** @type {import("./officer-model.js").Policy} */ (app.policy.value);
  const same = grouped(policy).get("same") ?? [];
  return html`<section class="panel">
    <header><h2>${t("officer.group.same", { n: same.length })}</h2></header>
    ${policy.sections.map((section) => {
      const settings = section.settings.filter((one) => one.standing === "same");
      if (settings.length === 0) return null;
      const title = section.title[language()];
      return html`<details key=${section.key} open=${open === section.key}>
        <summary>${title}<span class="dim">${t("officer.section.what", { n: settings.length, refused: refusals(settings, 30) })}</span></summary>
        <${Table} app=${app} settings=${settings} caption=${title} onEdit=${onEdit} />
      </details>`;
    })}
  </section>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerPolicy({ app }) {
  const [editing, setEditing] = useState(/** @type {Setting | null} */ (null));
  const [section, setSection] = useState("");
  const policy = app.policy.value;
  if (!policy) return html`<main class="dmain officer"><p role="status">${t("officer.loading")}</p></main>`;
  const groups = grouped(policy);
  const all = settingsOf(policy);
  const shown = section ? policy.sections.find((one) => one.key === section) : null;
  const title = policy.number === 0 ? t("officer.version.baseline") : t("officer.version", { number: policy.number });
  return html`<main class="dmain officer">
    <nav class="panel onav" aria-label=${t("officer.sections")}>
      <header><h1>${title}</h1><span class="dim">${t("officer.settings", { n: all.length })}</span></header>
      <button type="button" aria-current=${section === "" ? "true" : undefined} onClick=${() => setSection("")}>
        ${t("officer.deviating")}<span class="n">${all.length - (groups.get("same")?.length ?? 0)}</span>
      </button>
      ${policy.sections.map(
        (one) =>
          html`<button key=${one.key} type="button" aria-current=${section === one.key ? "true" : undefined} onClick=${() => setSection(one.key)}>
            ${one.title[language()]}<span class="n">${deviating(one)}</span>
          </button>`,
      )}
      <a class="btn plain low" href="/api/v1/policy/text?page=officer" download><${Icon} name="down" />${t("officer.download")}</a>
      ${app.you.value?.person.role === "auditor" && html`<a class="btn plain low" href="/records?page=officer"><${Icon} name="file" />${t("page.records")}</a>`}
      <a class="btn plain low" href="/hooks"><${Icon} name="link" />${t("page.hooks_and_counts")}</a>
    </nav>
    <div class="stack">
      <${Tiles} app=${app} />
      ${!app.you.value?.appointed && app.you.value?.person.role === "officer" && html`<${Notice} kind="warn" title=${t("officer.unappointed")}>${t("officer.unappointed.what")}<//>`}
      <${Basket} app=${app} />
      ${shown
        ? html`<section class="panel"><header><h2>${shown.title[language()]}</h2></header>
            <${Table} app=${app} settings=${shown.settings} caption=${shown.title[language()]} onEdit=${setEditing} /></section>`
        : html`${["looser", "to_set", "stricter", "different"].map((group) => html`<${Group} key=${group} app=${app} group=${group} settings=${groups.get(group) ?? []} onEdit=${setEditing} />`)}
            <${Same} app=${app} open="network" onEdit=${setEditing} />`}
    </div>
    ${editing && html`<${OfficerEdit} app=${app} setting=${editing} onClose=${() => setEditing(null)} />`}
  </main>`;
}
