/** The link of a recovery: opened with the password, it leads to setting up a new second factor. */
import { createApi } from "../lib/api.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { OpenRecovery } from "../parts/recovery.js";
import { draw, startPage, takeFragment } from "./start.js";

const token = takeFragment();
const api = createApi({ page: "sign-in" });
const app = {
  busy: signal(false),
  error: signal(/** @type {string | null} */ (null)),
  /** @param {string} password */
  open: async (password) => {
    app.busy.value = true;
    app.error.value = null;
    try {
      await api.post("recovery/link", { token, password });
      location.replace("/account?page=sign-in");
    } catch (error) {
      app.error.value = codeOf(error);
      app.busy.value = false;
    }
  },
};

const element = await startPage("factor");
draw(html`<${OpenRecovery} app=${app} missing=${!token} />`, element);
