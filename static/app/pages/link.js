/** A one-time sign-in link: its token is exchanged at once and goes out of the address bar. */
import { createApi } from "../lib/api.js";
import { OpenLink } from "../parts/entry.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage, takeFragment } from "./start.js";

const token = takeFragment();
const api = createApi({ page: "desk" });
const app = { busy: signal(false), error: signal(/** @type {string | null} */ (null)) };

const element = await startPage("link");
draw(html`<${OpenLink} app=${app} missing=${!token} />`, element);
if (token) {
  try {
    const { page } = await api.post("links", { token });
    location.replace(["/counter", "/officer"].includes(page) ? page : "/desk");
  } catch (error) {
    app.error.value = codeOf(error);
  }
}
