/** Setting a password by a one-time link. */
import { createApi } from "../lib/api.js";
import { SetPassword } from "../parts/entry.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage, takeFragment } from "./start.js";

const token = takeFragment();
const api = createApi({ page: "desk" });
const app = {
  busy: signal(false),
  error: signal(/** @type {string | null} */ (null)),
  done: signal(false),
  /** @param {string} password */
  save: async (password) => {
    app.busy.value = true;
    app.error.value = null;
    try {
      await api.post("password", { token, password });
      app.done.value = true;
    } catch (error) {
      app.error.value = codeOf(error);
    }
    app.busy.value = false;
  },
};

const element = await startPage("password");
draw(html`<${SetPassword} app=${app} missing=${!token} />`, element);
