/** 許可の判定: a question put to the rules, and every term of the answer. */
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Term} Term */

const ACTIONS = ["call.place", "call.accept", "call.close", "session.begin", "media.join", "file.send", "recording.start", "still.take"];
const ROLES = ["clerk", "verifier", "senior", "interpreter", "representative", "administrator", "officer", "auditor"];
const ROLE_OF = /** @type {Record<string, string>} */ ({ "call.place": "clerk" });

/** @param {{app: OfficerApp}} props */
function Form({ app }) {
  const [action, setAction] = useState("call.place");
  const [role, setRole] = useState("clerk");
  const [procedure, setProcedure] = useState("");
  const [office, setOffice] = useState("");
  const [address, setAddress] = useState("");
  const [at, setAt] = useState("");
  const [trained, setTrained] = useState("");
  const [second, setSecond] = useState(false);
  const [real, setReal] = useState(true);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    void app.ask({
      action,
      role,
      office: office || null,
      procedure: procedure || null,
      address: address.trim() || null,
      at: at ? new Date(at).toISOString() : null,
      trained_on: trained || null,
      second_factor: second,
      real,
    });
  };
  /** @param {(text: string) => void} set */
  const input = (set) => (/** @type {any} */ event) => set(event.currentTarget.value);
  /** @param {string} id @param {string} value @param {(text: string) => void} set @param {[string, string][]} options */
  const select = (id, value, set, options) =>
    html`<div class="field">
      <label for=${id}>${t(`check.${id}`)}</label>
      <select id=${id} value=${value} onChange=${input(set)}>
        ${options.map(([key, name]) => html`<option key=${key} value=${key} selected=${key === value}>${name}</option>`)}
      </select>
    </div>`;
  /** @param {string} next */
  const choose = (next) => {
    setAction(next);
    setRole(ROLE_OF[next] ?? "verifier");
  };
  return html`<form class="panel ask" onSubmit=${submit}>
    <header><h1>${t("check.title")}</h1></header>
    <div class="body stack">
      ${select("action", action, choose, ACTIONS.map((one) => [one, t(`action.${one}`)]))}
      ${select("role", role, setRole, ROLES.map((one) => [one, t(`role.${one}`)]))}
      ${select("office", office, setOffice, [["", t("check.any")], ...(app.policy.value?.offices ?? []).map((one) => /** @type {[string, string]} */ ([one.id, one.name]))])}
      ${select("procedure", procedure, setProcedure, [["", t("check.any")], ...app.procedures.value.map((one) => /** @type {[string, string]} */ ([one.id, one.name[language()]]))])}
      <div class="field"><label for="address">${t("check.address")}</label><input id="address" type="text" inputmode="decimal" autocomplete="off" value=${address} onInput=${input(setAddress)} /></div>
      <div class="field"><label for="at">${t("check.at")}</label><input id="at" type="datetime-local" value=${at} onInput=${input(setAt)} /></div>
      <div class="field"><label for="trained">${t("check.trained")}</label><input id="trained" type="date" value=${trained} onInput=${input(setTrained)} /></div>
      <label class="pick"><input type="checkbox" checked=${second} onChange=${() => setSecond(!second)} />${t("check.second")}</label>
      <label class="pick"><input type="checkbox" checked=${real} onChange=${() => setReal(!real)} />${t("check.real")}</label>
      <button class="btn primary wide" type="submit" aria-disabled=${app.busy.value ? "true" : undefined}><${Icon} name="zoom" />${t("check.go")}</button>
      <p class="dim">${t("check.only")}</p>
    </div>
  </form>`;
}

/** @param {{terms: Term[], met: boolean}} props */
function Terms({ terms, met }) {
  if (terms.length === 0) return null;
  const title = t(met ? "check.met" : "check.unmet", { n: terms.length });
  return html`<section class="panel">
    <header><h2>${title}</h2></header>
    <table class="terms">
      <caption class="vh">${title}</caption>
      <thead><tr><th scope="col"><span class="vh">${t("check.col.sign")}</span></th>${["term", "clause", "setting"].map((key) => html`<th key=${key} scope="col">${t(`check.col.${key}`)}</th>`)}</tr></thead>
      <tbody>
        ${terms.map(
          (one) =>
            html`<tr key=${one.code} class=${met ? "" : "looser"}>
              <td><${Icon} name=${met ? "okc" : "xc"} class=${met ? "okay" : "bad"} /></td>
              <th scope="row">${t(`term.${one.code}`)}<span class="key">${one.code}</span></th>
              <td>${one.clause || "―"}</td>
              <td class="mono">${one.setting || "―"}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerCheck({ app }) {
  const said = app.answer.value;
  const verdict = useRef(/** @type {HTMLElement | null} */ (null));
  // The form is taller than a small screen: what was asked at its foot is answered at the top.
  useEffect(() => verdict.current?.scrollIntoView({ block: "nearest" }), [said]);
  const unmet = said?.terms.filter((one) => !one.met) ?? [];
  const met = said?.terms.filter((one) => one.met) ?? [];
  return html`<main class="dmain check">
    <${Form} app=${app} />
    <div class="stack" aria-live="polite">
      ${!said && html`<section class="panel"><div class="body empty"><${Icon} name="zoom" class="big" /><h2>${t("check.empty")}</h2><p>${t("check.empty.what")}</p></div></section>`}
      ${said &&
      html`<section ref=${verdict} class=${`panel verdict ${said.allowed ? "ok" : "stop"}`}>
          <${Icon} name=${said.allowed ? "okc" : "xc"} class="large" />
          <div><h2>${t(said.allowed ? "check.allowed" : "check.denied")}</h2><p>${t("check.sum", { unmet: unmet.length, met: met.length, number: app.policy.value?.number ?? 0 })}</p></div>
          <button class="btn plain" type="button" onClick=${() => print()}><${Icon} name="print" />${t("check.print")}</button>
        </section>
        <${Terms} terms=${unmet} met=${false} />
        <${Terms} terms=${met} met=${true} />`}
    </div>
  </main>`;
}
