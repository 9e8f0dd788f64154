/** A one-time sign-in link: its token is exchanged at once and goes out of the address bar. */
import { createApi } from "../lib/api.js";
import { createTabletKey } from "../lib/tablet-key.js";
import { OpenLink } from "../parts/entry.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage, takeFragment } from "./start.js";

const token = takeFragment();
const api = createApi({ page: "desk" });
const app = { busy: signal(false), error: signal(/** @type {string | null} */ (null)) };

/** A link that enrols a tablet asks for the tablet's key; any other has no need of one. */
async function exchange() {
  try {
    return await api.post("links", { token });
  } catch (error) {
    if (codeOf(error) !== "key_required") throw error;
    const tablet = createTabletKey();
    const answer = await api.post("links", { token, ...(await tablet.claim(token)) });
    await tablet.keep();
    return answer;
  }
}

const element = await startPage("link");
draw(html`<${OpenLink} app=${app} missing=${!token} />`, element);
if (token) {
  try {
    const { page } = await exchange();
    const known = ["/counter", "/officer", "/sign-in?page=desk#half", "/sign-in?page=officer#half"];
    location.replace(known.includes(page) ? page : "/desk");
  } catch (error) {
    app.error.value = codeOf(error);
  }
}
