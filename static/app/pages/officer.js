/** The page of the security officer: the policy, changes to it, questions, the audit log, the sheet. */
import { createApi } from "../lib/api.js";
import { draftOf, realEdit } from "../lib/policy.js";
import { codeOf } from "../parts/errors.js";
import { effect, html, signal } from "../parts/html.js";
import { OfficerPage } from "../parts/officer-page.js";
import { createToasts } from "../parts/toast.js";
import { t } from "../parts/words.js";
import { draw, startPage } from "./start.js";

/** @typedef {import("../parts/officer-model.js").OfficerApp} OfficerApp */

const TABS = /** @type {const} */ (["policy", "change", "check", "audit", "sheet", "officers"]);
const api = createApi({ page: "officer" });
const toasts = createToasts();

/** The tab and what is shown in it, from `#change/15` or `#audit?setting=outside_vpn`. */
function whereOf() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [name, id = ""] = path.split("/");
  const tab = TABS.find((one) => one === name) ?? "policy";
  return { tab, id, query };
}

/** @param {unknown} error */
function complain(error) {
  const code = codeOf(error);
  if (code === "signed_out") location.replace("/sign-in?page=officer");
  else app.error.value = error;
}

/** Do something that changes things, once at a time; resolves to its answer, null when it was refused. @template T @param {() => Promise<T>} work @returns {Promise<T | null>} */
async function once(work) {
  if (app.busy.value) return null;
  app.busy.value = true;
  app.error.value = null;
  try {
    return await work();
  } catch (error) {
    complain(error);
    return null;
  } finally {
    app.busy.value = false;
  }
}

/** How often each signal was asked for. @type {Map<object, number>} */
const asked = new Map();

/** Fetch into a signal, unless it is asked for anew meanwhile; resolves to false when that failed. @param {string} path @param {{value: any}} into */
async function load(path, into) {
  const mine = (asked.get(into) ?? 0) + 1;
  asked.set(into, mine);
  try {
    const found = await api.get(path);
    if (asked.get(into) === mine) into.value = found;
    return true;
  } catch (error) {
    if (asked.get(into) !== mine) return true;
    complain(error);
    return false;
  }
}

/** @param {number | string} number @param {number} days */
async function rehearse(number, days) {
  app.rehearsal.value = null;
  if (!(await load(`policy/versions/${number}/rehearsal?days=${days}`, app.rehearsal))) app.rehearsal.value = "failed";
}

async function refresh() {
  await Promise.all([load("policy", app.policy), load("policy/versions", app.versions)]);
}

/** @type {OfficerApp} */
const app = {
  you: signal(null),
  where: signal(whereOf()),
  policy: signal(null),
  versions: signal(null),
  version: signal(null),
  rehearsal: signal(null),
  answer: signal(null),
  log: signal(null),
  chain: signal(null),
  deletions: signal(null),
  officers: signal(null),
  roles: signal(null),
  recoveries: signal(null),
  recoveryLink: signal(null),
  procedures: signal([]),
  edits: signal({}),
  error: signal(null),
  busy: signal(false),
  toasts,
  edit: (setting, edit) => {
    const rest = { ...app.edits.peek() };
    delete rest[setting.key];
    const real = realEdit(setting, edit);
    app.edits.value = real ? { ...rest, [setting.key]: real } : rest;
  },
  dropEdits: () => (app.edits.value = {}),
  submit: (note, evenIfShutOut) =>
    once(async () => {
      const draft = { ...draftOf(app.edits.peek(), note), even_if_shut_out: evenIfShutOut };
      const made = await api.post("policy/versions", draft);
      app.edits.value = {};
      await refresh();
      toasts.show("ok", t("officer.drafted", { number: made.number }));
      location.hash = `#change/${made.number}`;
    }),
  approve: (number, startsAt, evenIfShutOut) =>
    once(async () => {
      const body = { starts_at: startsAt, even_if_shut_out: evenIfShutOut };
      app.version.value = await api.post(`policy/versions/${number}/approve`, body);
      await refresh();
      toasts.show("ok", t("officer.approved", { number }));
    }),
  withdraw: (number) =>
    once(async () => {
      app.version.value = await api.post(`policy/versions/${number}/withdraw`);
      await refresh();
      toasts.show("info", t("officer.withdrawn", { number }));
    }),
  rehearse: (number, days) => void rehearse(number, days),
  compare: (number, other) => void load(`policy/versions/${number}${other && `?against=${other}`}`, app.version),
  olderDeletions: () =>
    once(async () => {
      const shown = app.deletions.peek()?.deletions ?? [];
      const older = await api.get(`deletions?before=${shown.at(-1)?.id ?? ""}`);
      app.deletions.value = { ...older, deletions: [...shown, ...older.deletions] };
    }),
  ask: (question) =>
    once(async () => {
      app.answer.value = null;
      app.answer.value = { ...(await api.post("policy/explain", question)), question };
    }),
  search: (query) => {
    const hash = `#audit?${query}`;
    if (location.hash === hash) void load(`audit?${query}`, app.log);
    else location.hash = hash;
  },
  appoint: (person) =>
    once(async () => {
      await api.post(`officers/${person}/appoint`);
      await load("officers", app.officers);
    }),
  recover: (person, step) =>
    once(async () => {
      const said = await api.post(`recoveries/${person}/${step}`);
      const name = app.recoveries.peek()?.people.find((one) => one.id === person)?.name ?? "";
      app.recoveryLink.value = step === "confirm" ? { ...said, name } : null;
      await load("recoveries", app.recoveries);
    }),
  signOut: async () => {
    const out = await api.post("sign-out").catch(complain);
    location.replace(out?.go ?? "/sign-in?page=officer");
  },
};

/** Each tab fetches what it shows when it is opened. */
function followWhere() {
  const { tab, id, query } = app.where.value;
  app.error.value = null;
  if (tab === "change" && id) {
    app.version.value = null;
    void load(`policy/versions/${id}`, app.version);
    void rehearse(id, 30);
  }
  if (tab === "audit") void load(`audit?${query}`, app.log);
  if (tab === "audit") void load("deletions", app.deletions);
  if (tab === "audit" || tab === "policy") void lookAtChain();
  if (tab === "officers" && app.you.peek()?.person.role === "administrator") void load("recoveries", app.recoveries);
  if (tab === "officers") {
    void load("officers", app.officers);
    void load("policy/roles", app.roles);
  }
}

/** The chain is only for who may read the log. */
async function lookAtChain() {
  if (app.you.peek()?.person.role === "administrator") return;
  await load("audit/chain", app.chain);
}

const element = await startPage("officer");
try {
  const { you } = await api.me();
  app.you.value = /** @type {any} */ (you);
} catch (error) {
  complain(error);
}
draw(html`<${OfficerPage} app=${app} />`, element);
if (app.you.value) {
  addEventListener("hashchange", () => (app.where.value = whereOf()));
  await refresh();
  void api.get("procedures").then(({ procedures }) => (app.procedures.value = procedures), complain);
  effect(followWhere);
  addEventListener("beforeunload", (event) => Object.keys(app.edits.peek()).length && event.preventDefault());
}
