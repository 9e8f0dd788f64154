/** 件数: how many calls ended how, by month, and corrections of closed months. */
import { CountsPage } from "../parts/counts-page.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage } from "./start.js";
import { createSystems } from "./systems.js";

const page = new URLSearchParams(location.search).get("page") === "desk" ? "desk" : "officer";
const systems = createSystems("counts", page);
const counts = signal(/** @type {any} */ (null));
const procedures = signal(/** @type {any[]} */ ([]));
const show = (/** @type {string} */ month) => systems.load(month ? `counts?month=${month}` : "counts", counts);

/** @type {import("../parts/counts-page.js").CountsApp} */
const app = {
  ...systems,
  counts,
  procedures,
  show,
  exportUrl: (month) => `/api/v1/counts/export?page=${page}&from=${month}&to=${month}`,
  correct: async (body) => {
    const made = await systems.change(() => systems.api.post("counts/corrections", body), "counts.corrected");
    if (made) await show(body.month);
    return made !== null;
  },
};

const element = await startPage("counts");
await systems.begin();
draw(html`<${CountsPage} app=${app} />`, element);
if (systems.you.value) {
  await show("");
  void systems.api.get("procedures").then((said) => (procedures.value = said.procedures), () => {});
}
