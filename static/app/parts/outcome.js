/** 判定 in one word with its sign. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @type {Readonly<Record<string, {kind: string, icon: string}>>} */
export const OUTCOME_LOOK = Object.freeze({
  verified: { kind: "ok", icon: "check" },
  completed: { kind: "ok", icon: "check" },
  returned: { kind: "warn", icon: "return" },
  refused: { kind: "stop", icon: "xc" },
  aborted: { kind: "", icon: "pause" },
  none: { kind: "", icon: "x" },
});

/** Outcomes that need no reason, since nothing is left to be done. @type {ReadonlySet<string>} */
export const GOOD = new Set(["verified", "completed"]);

/** @param {{outcome: import("../lib/protocol.js").Outcome | null}} props */
export function OutcomeChip({ outcome }) {
  const name = outcome ?? "none";
  const look = OUTCOME_LOOK[name];
  return html`<span class="chip ${look.kind}"><${Icon} name=${look.icon} />${t(`outcome.${name}`)}</span>`;
}
