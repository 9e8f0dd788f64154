/** The start page: counter or desk. */
import { Start } from "../parts/entry.js";
import { html } from "../parts/html.js";
import { draw, startPage } from "./start.js";

const element = await startPage("index");
draw(html`<${Start} />`, element);
