/** Beside the queue: today in four figures, the bells, the keys. */
import { date, duration, time } from "../lib/format.js";
import { Bells } from "./bells.js";
import { secondsSince } from "./clock.js";
import { html } from "./html.js";
import { language, t } from "./words.js";

/** Alt+letter, and the key of its words. */
export const KEYS = Object.freeze([
  ["Alt+A", "keys.accept"],
  ["Alt+N", "keys.next"],
  ["Alt+S", "keys.still"],
  ["Alt+Z", "keys.zoom"],
  ["Alt+C", "keys.compare"],
  ["Alt+V", "keys.veil"],
  ["Alt+T", "keys.chat"],
  ["Alt+J", "keys.decide"],
]);

/** @param {{app: import("./model.js").DeskApp, waiting: import("./model.js").CallNoun[]}} props */
export function DeskSide({ app, waiting }) {
  const now = app.now.value;
  const queued = waiting.filter((call) => call.state === "waiting" || call.state === "ringing");
  const longest = Math.max(0, ...queued.map((call) => secondsSince(call.placed_at, now)));
  const at = new Date(now).toISOString();
  const figures = [
    ["side.waiting", String(queued.length)],
    ["side.longest", queued.length ? duration(longest, language()) : "―"],
    ["side.done", String(app.today.value.length)],
    ["side.desks", String(app.store.queue.value?.desks_open ?? 0)],
  ];
  return html`<aside class="stack" aria-label=${t("side.title")}>
    <section class="panel">
      <header><h2>${t("side.today")}</h2><time class="dim" datetime=${at}>${date(at, language())} ${time(at)}</time></header>
      <dl class="body tally">
        ${figures.map(([key, value]) => html`<div key=${key}><dt>${t(key)}</dt><dd>${value}</dd></div>`)}
      </dl>
    </section>
    ${waiting.length > 0 &&
    html`<section class="panel"><header><h2>${t("side.bells")}</h2></header><div class="body"><${Bells} app=${app} /></div></section>`}
    <section class="panel of-keys">
      <header><h2>${t("keys.title")}</h2></header>
      <dl class="body kv keys">${KEYS.map(([key, words]) => html`<dt key=${key}><kbd>${key}</kbd></dt><dd>${t(words)}</dd>`)}</dl>
    </section>
  </aside>`;
}
