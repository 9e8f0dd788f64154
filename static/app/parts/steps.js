/** The steps of a call at the desk, at the left: to do, now, done, each with sign and word; the current one with its script. */
import { html, useEffect, useRef, useState } from "./html.js";
import { nextLocked } from "../lib/steps.js";
import { Icon } from "./icon.js";
import { StepNeed } from "./steps-needs.js";
import { plain } from "./rich.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/steps.js").Line} Line
 */

const SIGN = { done: "okc", now: "now", open: "ring", locked: "ring" };

/** @param {{app: DeskApp, line: Line}} props */
function Body({ app, line }) {
  const unmet = line.needs.findIndex((need) => !need.done);
  const [picked, setPicked] = useState(-1);
  // What has just been finished makes way for what comes next.
  useEffect(() => setPicked(-1), [unmet]);
  const open = picked >= 0 ? picked : Math.max(0, unmet);
  return html`<div class="step-body scroll" tabindex="0" role="group" aria-label=${line.title[language()]}>
    ${app.steps.reopened.value.includes(line.id) && line.state !== "done" && html`<p class="chip warn wraps"><${Icon} name="refresh" />${t("steps.reopened")}</p>`}
    ${line.script && html`<blockquote>${plain(line.script[language()])}</blockquote>`}
    ${line.state === "locked" && html`<p class="dim"><${Icon} name="lock" /> ${t("steps.later")}</p>`}
    ${line.state !== "locked" && line.needs.map(
      (need, index) =>
        html`<${StepNeed} key=${need.need} app=${app} need=${need} open=${index === open} alone=${line.needs.length === 1} onOpen=${() => setPicked(index)} />`,
    )}
  </div>`;
}

/** @param {{app: DeskApp, line: Line, current: boolean}} props */
function StepLine({ app, line, current }) {
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (current) row.current?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return html`<li ref=${row} class=${`${line.state} ${current ? "current" : ""}`} aria-current=${current ? "step" : undefined}>
    <button class="line" type="button" id=${`step-${line.id}`} aria-expanded=${String(current)} onClick=${() => app.steps.pick(line.id)}>
      <${Icon} name=${SIGN[line.state]} />
      <span>${line.number}</span><span class="name">${line.title[language()]}</span>
      <span class="word">${t(`steps.state.${line.state}`)}</span>
    </button>
    ${current && html`<${Body} app=${app} line=${line} />`}
  </li>`;
}

/** @param {{app: DeskApp}} props */
export function StepsTray({ app }) {
  const lines = app.steps.lines.value;
  if (!lines.length) return null;
  const current = app.steps.current.value;
  const done = lines.filter(({ state }) => state === "done").length;
  const lock = nextLocked(lines, current);
  return html`<section class="panel steps" aria-label=${t("steps.title")}>
    <header><h2>${t("steps.count", { done, of: lines.length })}</h2><span class="dim">${t("steps.note")}</span></header>
    <ol class="scroll">
      ${lines.map((line) => html`<${StepLine} key=${line.id} app=${app} line=${line} current=${line.id === current} />`)}
    </ol>
    <footer>
      <button class="btn ${lock ? "" : "primary"} low wide" type="button" aria-disabled=${lock ? "true" : undefined} onClick=${() => !lock && app.steps.next()}>
        <${Icon} name=${lock ? "lock" : "right"} />${t("steps.next")} <kbd>Alt+N</kbd>
      </button>
    </footer>
  </section>`;
}
