/** The page of administrators: post offices, tablets, people, procedures. */
import { createApi } from "../lib/api.js";
import { AdministrationPage } from "../parts/administration-page.js";
import { codeOf } from "../parts/errors.js";
import { effect, html, signal } from "../parts/html.js";
import { createToasts } from "../parts/toast.js";
import { t } from "../parts/words.js";
import { draw, startPage } from "./start.js";

/** @typedef {import("../parts/administration-model.js").AdministrationApp} AdministrationApp */

const TABS = /** @type {const} */ (["offices", "people", "procedures"]);
// Administrators have their place on the officer's page, and its sign-in.
const api = createApi({ page: "officer" });
const toasts = createToasts();
const SIGN_IN = "/sign-in?page=officer&next=administration";

/** The tab and what is shown in it, from `#offices/ID`. */
function whereOf() {
  const [name, id = ""] = location.hash.slice(1).split("/");
  return { tab: TABS.find((one) => one === name) ?? "offices", id };
}

/** @param {unknown} error */
function complain(error) {
  if (codeOf(error) === "signed_out") location.replace(SIGN_IN);
  else app.error.value = error;
}

/** @param {string} path @param {{value: any}} into */
async function load(path, into) {
  try {
    into.value = await api.get(path);
  } catch (error) {
    complain(error);
  }
}

const refresh = () => load("administration", app.house);
const reread = () => load("procedures/versions", app.versions);

/** Change something, once at a time, and show what has become of it; null when it was refused. @param {() => Promise<any>} work @param {string} said key of the words @param {() => Promise<void>} [after] */
async function change(work, said, after = refresh) {
  if (app.busy.value) return null;
  app.busy.value = true;
  app.error.value = null;
  try {
    const answer = (await work()) ?? {};
    await after();
    toasts.show("ok", t(said));
    return answer;
  } catch (error) {
    complain(error);
    return null;
  } finally {
    app.busy.value = false;
  }
}

/** @type {AdministrationApp} */
const app = {
  you: signal(null),
  where: signal(whereOf()),
  house: signal(null),
  versions: signal(null),
  version: signal(null),
  handed: signal(null),
  error: signal(null),
  busy: signal(false),
  toasts,
  addOffice: (name, kind) => change(() => api.post("offices", { name, kind }), "adm.done.added"),
  enterOffice: (id, days) => change(() => api.post(`offices/${id}`, days), "adm.done.saved"),
  openProcedure: (id, entry) => change(() => api.post(`offices/${id}/openings`, entry), "adm.done.saved"),
  withdrawOpening: (id) => change(() => api.post(`openings/${id}/withdraw`), "adm.done.withdrawn"),
  addTablet: async (office, name) => {
    const said = await change(() => api.post(`offices/${office}/tablets`, { name }), "adm.done.added");
    if (said) app.handed.value = { kind: "code", name: said.tablet.name, secret: said.code, link: said.link, until: said.expires_at };
    return said;
  },
  newCode: async (tablet) => {
    const said = await change(() => api.post(`tablets/${tablet}/code`), "adm.done.code");
    if (said) app.handed.value = { kind: "code", name: said.tablet.name, secret: said.code, link: said.link, until: said.expires_at };
  },
  switchTablet: (tablet, real) => change(() => api.post(`tablets/${tablet}/mode`, { real }), real ? "adm.done.real" : "adm.done.training"),
  revokeTablet: (tablet) => change(() => api.post(`tablets/${tablet}/revoke`), "adm.done.revoked"),
  addPerson: async (person) => {
    const said = await change(() => api.post("people", person), "adm.done.added");
    if (said) hand(said);
    return said;
  },
  newEntrance: async (person) => {
    const said = await change(() => api.post(`people/${person}/entrance`), "adm.done.entrance");
    if (said) hand(said);
  },
  setTraining: (person, on) => change(() => api.post(`people/${person}/training`, { on }), "adm.done.saved"),
  endPerson: (person) => change(() => api.post(`people/${person}/end`), "adm.done.ended"),
  draft: (text, note) => change(() => api.post("procedures/versions", { text, note }), "adm.done.drafted", reread),
  approve: (number, startsAt) => change(() => api.post(`procedures/versions/${number}/approve`, { starts_at: startsAt }), "adm.done.approved", reread),
  withdraw: (number) => change(() => api.post(`procedures/versions/${number}/withdraw`), "adm.done.withdrawn", reread),
  textOf: (procedure) => api.get("procedures/texts").then(({ texts }) => texts[procedure] ?? ""),
  signOut: async () => {
    const out = await api.post("sign-out").catch(complain);
    location.replace(out?.go ?? SIGN_IN);
  },
};

/** What a person is handed is shown until it is put away. @param {any} said */
function hand(said) {
  const kind = said.pin ? "pin" : "link";
  app.handed.value = { kind, name: said.person.name, secret: said.pin ?? said.link, link: said.link, until: said.expires_at };
}

const element = await startPage("administration");
try {
  const { you } = await api.me();
  app.you.value = /** @type {any} */ (you);
} catch (error) {
  complain(error);
}
draw(html`<${AdministrationPage} app=${app} />`, element);
if (app.you.value) {
  addEventListener("hashchange", () => {
    app.error.value = null;
    app.where.value = whereOf();
  });
  await refresh();
  effect(() => {
    const { tab, id } = app.where.value;
    if (tab !== "procedures") return;
    void reread();
    app.version.value = null;
    if (id) void load(`procedures/versions/${id}`, app.version);
  });
}
