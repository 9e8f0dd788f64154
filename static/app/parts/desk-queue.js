/** The desk between calls: the call that rings here, everyone who waits, what was done today. */
import { ApprovalQueue } from "./approvals.js";
import { countdown, duration, time } from "../lib/format.js";
import { Asleep, Bells } from "./bells.js";
import { secondsSince, secondsUntil } from "./clock.js";
import { DeskRing } from "./desk-ring.js";
import { DeskSide } from "./desk-side.js";
import { GuestRing } from "./guest-call.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { OutcomeChip } from "./outcome.js";
import { procedureName } from "./procedure.js";
import { LessonButton } from "./resident.js";
import { Total } from "./total.js";
import { TrainingChip } from "./training.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("./model.js").CallNoun} CallNoun */

/** Roles that answer no calls of the queue. */
const ONLY_INVITED = new Set(["interpreter", "representative"]);
/** Seconds of waiting from which the bar turns yellow, then red. */
const LONG_SECONDS = 180;
const TOO_LONG_SECONDS = 360;

/** @param {{call: CallNoun, app: DeskApp}} props */
function Wait({ call, app }) {
  const until = call.answered_at ? Date.parse(call.answered_at) : app.now.value;
  const seconds = secondsSince(call.placed_at, until);
  const kind = seconds >= TOO_LONG_SECONDS ? "stop" : seconds >= LONG_SECONDS ? "warn" : "ok";
  return html`<span class="wait">
    <b>${duration(seconds, language())}</b>
    <progress class=${kind} max=${TOO_LONG_SECONDS} value=${Math.min(seconds, TOO_LONG_SECONDS)} aria-hidden="true"></progress>
  </span>`;
}

/** @param {{call: CallNoun, app: DeskApp}} props */
function StateChip({ call, app }) {
  const offered = app.store.queue.value?.offered === call.id;
  if (offered) return html`<span class="chip here"><${Icon} name="bell" />${t("queue.state.yours")}</span>`;
  if (call.state === "waiting") return html`<span class="chip"><${Icon} name="clock" />${t("queue.state.waiting")}</span>`;
  if (call.state === "interrupted") {
    const left = countdown(secondsUntil(call.interrupted?.gives_up_at, app.now.value));
    return html`<span class="chip warn"><${Icon} name="wifioff" />${t("queue.state.interrupted", { left })}</span>`;
  }
  const key = call.state === "ringing" ? "ringing" : "talking";
  return html`<span class="chip"><${Icon} name="person" />${t(`queue.state.${key}`, { name: call.desk?.name ?? "" })}</span>`;
}

/** @param {{call: CallNoun, app: DeskApp}} props */
function Row({ call, app }) {
  const offered = app.store.queue.value?.offered === call.id;
  return html`<tr>
    <td class="mono nw">${call.number}<${TrainingChip} call=${call} /></td>
    <td>${call.office.name} ${call.tablet.name}</td>
    <td>${procedureName(app, call.procedure)}</td>
    <td><${Wait} call=${call} app=${app} /></td>
    <td><${StateChip} call=${call} app=${app} /></td>
    <td class="num">
      ${(offered || (call.state === "waiting" && app.store.queue.value?.picks)) &&
      html`<button
        class="btn low ${offered ? "primary" : ""}"
        type="button"
        aria-label=${t("queue.accept.label", { number: call.number })}
        onClick=${() => app.accept(call.id)}
      >
        ${t("queue.accept")}
      </button>`}
    </td>
  </tr>`;
}

/** @param {{app: DeskApp}} props */
function Empty({ app }) {
  return html`<div class="body empty">
    <${Icon} name="people" class="big" />
    <h2>${t("queue.empty.title")}</h2>
    <p>${t("queue.empty.what")}</p>
    <${Bells} app=${app} />
  </div>`;
}

/** @param {{app: DeskApp, waiting: CallNoun[]}} props */
function Waiting({ app, waiting }) {
  const busy = app.store.queue.value?.busy;
  return html`<section class="panel">
    <header>
      <h2>${t("queue.title", { n: waiting.length })}</h2>
      <span role="status">${busy && html`<span class="chip warn"><${Icon} name="pause" />${t("queue.busy")}</span>`}</span>
      <span class="dim">${t(app.store.queue.value?.picks === false ? "queue.random" : "queue.order")}</span>
    </header>
    ${waiting.length === 0
      ? html`<${Empty} app=${app} />`
      : html`<table>
          <caption class="vh">${t("queue.title", { n: waiting.length })}</caption>
          <thead>
            <tr>
              ${["number", "counter", "procedure", "wait", "state"].map((key) => html`<th key=${key} scope="col">${t(`queue.col.${key}`)}</th>`)}
              <th scope="col"><span class="vh">${t("queue.col.do")}</span></th>
            </tr>
          </thead>
          <tbody>${waiting.map((call) => html`<${Row} key=${call.id} call=${call} app=${app} />`)}</tbody>
        </table>`}
  </section>`;
}

/** @param {{app: DeskApp}} props */
function Today({ app }) {
  const calls = app.today.value;
  const you = app.store.you.value;
  const counts = you?.page === "desk" && you.person.role === "senior";
  return html`<section class="panel grow today" tabindex="0" role="region" aria-label=${t("today.title", { n: calls.length })}>
    <header><h2>${t("today.title", { n: calls.length })}</h2><a class="row tight check-list-link" href="/precheck?page=desk">${t("precheck.list")}</a><a class="row tight check-list-link" href="/records">${t("page.records")}</a>${counts && html`<a class="row tight check-list-link" href="/counts?page=desk">${t("page.counts")}</a>`}</header>
    ${calls.length === 0
      ? html`<p class="body dim">${t("today.empty")}</p>`
      : html`<table>
          <caption class="vh">${t("today.title", { n: calls.length })}</caption>
          <thead>
            <tr>${["number", "counter", "procedure", "times", "outcome"].map((key) => html`<th key=${key} scope="col">${t(`queue.col.${key}`)}</th>`)}</tr>
          </thead>
          <tbody>
            ${calls.map(
              (call) =>
                html`<tr key=${call.id}>
                  <td class="mono nw"><a href=${`/records?number=${call.number}`}>${call.number}</a><${TrainingChip} call=${call} /></td>
                  <td><span class="nw">${call.office.name}</span> <span class="nw">${call.tablet.name}</span></td>
                  <td>${procedureName(app, call.procedure)}<${Total} total=${app.totals.value[call.id]} /></td>
                  <td class="nw">${call.answered_at ? time(call.answered_at) : "―"}–${call.closed_at ? time(call.closed_at) : ""}</td>
                  <td><span class="row tight"><${OutcomeChip} outcome=${call.outcome} /><${LessonButton} app=${app} call=${call} /></span></td>
                </tr>`,
            )}
          </tbody>
        </table>`}
  </section>`;
}

/** @param {{app: DeskApp}} props */
export function DeskQueue({ app }) {
  const queue = app.store.queue.value;
  const waiting = queue?.waiting ?? [];
  const ringing = waiting.find((call) => call.id === queue?.offered);
  const line = app.store.connection.value.state === "open";
  const you = app.store.you.value;
  const answers = you?.page !== "desk" || !ONLY_INVITED.has(you.person.role);
  return html`<main class="dmain queue">
    <h1 class="vh">${t("queue.page")}</h1>
    <div class="main">
      ${!line && html`<${Notice} kind="warn" icon="wifioff" role="status" title=${t("desk.reconnecting")}>${t("desk.reconnecting.what")}<//>`}
      ${app.store.deskState.value === "open" && html`<${Asleep} app=${app} />`}
      ${app.store.deskState.value === "away" &&
      html`<${Notice}
        icon="pause"
        title=${t("desk.away.title")}
        action=${html`<button class="btn primary" type="button" onClick=${() => app.setState("open")}><${Icon} name="okc" />${t("desk.away.open")}</button>`}
        >${t("desk.away.what")}<//
      >`}
      ${app.store.approvals.value.length > 0 && html`<div class="asked scroll" tabindex="0" role="group" aria-label=${t("senior.title")}><${ApprovalQueue} app=${app} /></div>`}
      ${ringing && html`<${DeskRing} app=${app} call=${ringing} />`}
      ${queue?.invited && html`<${GuestRing} app=${app} invitation=${queue.invited} />`}
      ${answers ? html`<${Waiting} app=${app} waiting=${waiting} /><${Today} app=${app} />` : html`<p>${t("guest.idle")}</p>`}
    </div>
    ${answers ? html`<${DeskSide} app=${app} waiting=${waiting} />` : html`<aside><${Bells} app=${app} /></aside>`}
  </main>`;
}
