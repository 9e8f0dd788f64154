/** The pictures of a call's steps, below the live one: those taken, those asked for, those still wanted; each with sign and word. */
import { time } from "../lib/format.js";
import { withTile } from "../lib/compare.js";
import { comparedOf } from "./desk-compare.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Viewer } from "./viewer.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/steps.js").Tile} Tile
 */

const LOOK = {
  taken: { kind: "ok", icon: "check" },
  arriving: { kind: "here", icon: "clock" },
  asked: { kind: "here", icon: "clock" },
  refused: { kind: "stop", icon: "xc" },
  wanted: { kind: "warn", icon: "alert" },
};

/** @param {{app: DeskApp, tile: Tile, onView: (tile: Tile) => void}} props */
function StillTile({ app, tile, onView }) {
  const look = LOOK[tile.state];
  const name = `${tile.number} ${tile.what[language()]}`;
  const caption = html`<span class="cap">
    <b>${name}</b>
    <span class="v ${look.kind}"><${Icon} name=${look.icon} />${t(`still.state.${tile.state}`)}${tile.file && tile.state === "taken" ? ` ${time(tile.file.at)}` : ""}</span>
  </span>`;
  if (tile.file && tile.state === "taken") {
    const url = app.files.url(tile.file, { inline: true });
    const beside = comparedOf(app);
    const pressed = beside.length ? String(beside.includes(tile)) : undefined;
    const press = () => (beside.length ? (app.compared.value = withTile(beside.map(({ key }) => key), tile.key)) : onView(tile));
    return html`<li><button class="still" type="button" aria-pressed=${pressed} onClick=${press}>
      <span class="pic"><img src=${url} alt="" /></span>${caption}<span class="vh">${t(beside.length ? "compare.pick" : "still.open")}</span>
    </button></li>`;
  }
  return html`<li><div class="still"><span class="pic"><${Icon} name="still" /></span>${caption}</div></li>`;
}

/** @param {{app: DeskApp}} props */
export function StillsTray({ app }) {
  const [viewed, setViewed] = useState(/** @type {Tile | null} */ (null));
  const tiles = app.steps.tiles.value;
  /** @param {Tile} tile */
  const drop = (tile) => {
    if (tile.file) app.steps.bind(tile.need, tile.file.id, false);
    setViewed(null);
  };
  if (!tiles.length) return null;
  return html`<ul class="tray scroll" aria-label=${t("still.title")} tabindex="0">
      ${tiles.map((tile) => html`<${StillTile} key=${tile.key} app=${app} tile=${tile} onView=${setViewed} />`)}
    </ul>
    ${viewed?.file &&
    html`<${Viewer}
      file=${viewed.file}
      url=${app.files.url(viewed.file, { inline: true })}
      onClose=${() => setViewed(null)}
      action=${html`<button class="btn plain" type="button" onClick=${() => drop(viewed)}><${Icon} name="refresh" />${t("still.remove")}</button>`}
    />`}`;
}
