/** IC読取: what the chip of a document said, read elsewhere: which document, with which tool, with what result. */
import { KindOptions } from "./desk-cards.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { time } from "../lib/format.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */

const RESULTS = /** @type {const} */ (["agrees", "differs", "unreadable"]);
const LOOK = { agrees: ["ok", "check"], differs: ["stop", "xc"], unreadable: ["warn", "alert"] };

/** What the entry still wants, as a key of the words, or null. @param {{document: string, tool: string, result: string}} entry */
export function chipLack({ document, tool, result }) {
  if (!document) return "chip.need.document";
  if (!tool.trim()) return "chip.need.tool";
  return result ? null : "chip.need.result";
}

/** @param {{app: DeskApp, chip: import("../lib/protocol.js").ChipNoun}} props */
function Read({ app, chip }) {
  const [kind, icon] = LOOK[chip.result];
  const name = app.kinds.value.find((one) => one.kind === chip.document)?.name[language()] ?? chip.document;
  return html`<li>
    <b>${name}</b> <span class="chip ${kind}"><${Icon} name=${icon} />${t(`chip.result.${chip.result}`)}</span>
    <p class="dim">${t("chip.by", { name: chip.by.name, time: time(chip.at) })} <span class="mono">${chip.tool}</span></p>
  </li>`;
}

/** @param {{app: DeskApp}} props */
export function ChipResult({ app }) {
  const [entry, setEntry] = useState({ document: "", tool: "", result: "" });
  const chips = app.store.steps.value?.chips ?? [];
  const lack = chipLack(entry);
  const set = (/** @type {Partial<typeof entry>} */ change) => setEntry({ ...entry, ...change });
  /** @param {Event} event */
  const save = (event) => {
    event.preventDefault();
    if (lack) return;
    app.steps.chip({ ...entry, tool: entry.tool.trim(), result: /** @type {typeof RESULTS[number]} */ (entry.result) });
    setEntry({ document: "", tool: entry.tool, result: "" });
  };
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("chip.title")}>
    <p class="dim">${t("chip.what")}</p>
    <ul>${chips.map((chip, index) => html`<${Read} key=${index} app=${app} chip=${chip} />`)}</ul>
    <form class="chip-form" onSubmit=${save}>
      <select id="chip-document" aria-label=${t("documents.kind")} value=${entry.document} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => set({ document: event.currentTarget.value })}>
        <option value="">${t("documents.choose")}</option>
        <${KindOptions} kinds=${app.kinds.value} />
      </select>
      <div class="field">
        <label for="chip-tool">${t("chip.tool")}</label>
        <input id="chip-tool" type="text" maxlength="60" value=${entry.tool} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => set({ tool: event.currentTarget.value })} />
      </div>
      <fieldset>
        <legend class="label">${t("chip.result")}</legend>
        ${RESULTS.map(
          (one) => html`<label class="pick" key=${one}>
            <input type="radio" name="chip-result" checked=${entry.result === one} onChange=${() => set({ result: one })} />${t(`chip.result.${one}`)}
          </label>`,
        )}
      </fieldset>
      <button class="btn low wide" type="submit" aria-disabled=${lack ? "true" : undefined} title=${lack ? t(lack) : undefined}>
        <${Icon} name=${lack ? "lock" : "check"} />${t("chip.save")}
      </button>
    </form>
  </div>`;
}
