/** Comparing: one or two stills beside the live picture, which stays whole; each enlarged by itself. */
import { shownOf, takenOf, toggled } from "../lib/compare.js";
import { DeskStage } from "./desk-stage.js";
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icon.js";
import { usePan } from "./pan.js";
import { language, t } from "./words.js";
import { nextZoom } from "./zoom.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/steps.js").Tile} Tile
 */

/** The stills that are compared now. @param {DeskApp} app */
export const comparedOf = (app) => shownOf(app.compared.value, takenOf(app.steps.tiles.value));

/** What Alt+C does. @param {DeskApp} app */
export const toggleCompare = (app) => void (app.compared.value = toggled(app.compared.peek(), takenOf(app.steps.tiles.peek())));

/** @param {{app: DeskApp, tile: Tile}} props */
function Beside({ app, tile }) {
  const [zoom, setZoom] = useState(1);
  const pan = usePan(zoom);
  const name = `${tile.number} ${tile.what[language()]}`;
  if (!tile.file) return null;
  return html`<section class="one" aria-label=${name}>
    <h3><span>${name}</span>
      <button class="btn plain low" type="button" aria-pressed=${String(zoom > 1)} onClick=${() => setZoom(nextZoom(zoom))}>
        <${Icon} name="zoom" />${t(zoom > 1 ? "zoom.now" : "zoom.title", { n: zoom })}
      </button>
    </h3>
    <div
      class="video picture ${zoom > 1 ? "zoomed" : ""}"
      ref=${pan.box}
      tabindex=${zoom > 1 ? 0 : undefined}
      role="group"
      aria-label=${zoom > 1 ? t("zoom.move") : name}
      onPointerMove=${pan.drag}
      onKeyDown=${pan.key}
    >
      <img ref=${pan.picture} src=${app.files.url(tile.file, { inline: true })} alt=${t("files.image", { name })} draggable=${false} />
    </div>
  </section>`;
}

/** Esc ends comparing, when nothing lies on top. @param {DeskApp} app @param {boolean} comparing */
function useEscape(app, comparing) {
  useEffect(() => {
    if (!comparing) return undefined;
    /** @param {KeyboardEvent} event */
    const press = (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) app.compared.value = [];
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [comparing]);
}

/** @param {{app: DeskApp, call: import("./model.js").CallNoun}} props */
export function DeskPictures({ app, call }) {
  const tiles = comparedOf(app);
  const comparing = tiles.length > 0;
  useEscape(app, comparing);
  return html`<div class="pictures">
    ${tiles.map((tile) => html`<${Beside} key=${tile.key} app=${app} tile=${tile} />`)}
    <div class="one" key="live">
      ${comparing &&
      html`<h3><span>${t("compare.live")}</span>
        <button class="btn plain low" type="button" onClick=${() => (app.compared.value = [])}>${t("compare.stop")} <kbd>Esc</kbd></button></h3>`}
      <${DeskStage} key="stage" app=${app} call=${call} />
    </div>
  </div>`;
}

/** @param {{app: DeskApp}} props */
export function CompareButton({ app }) {
  const none = takenOf(app.steps.tiles.value).length === 0;
  return html`<button
    class="btn"
    type="button"
    aria-pressed=${String(comparedOf(app).length > 0)}
    aria-disabled=${none ? "true" : undefined}
    title=${none ? t("compare.none") : t("compare.what")}
    onClick=${() => toggleCompare(app)}
  >
    <${Icon} name=${none ? "lock" : "compare"} />${t("compare.title")} <kbd>Alt+C</kbd>
  </button>`;
}
