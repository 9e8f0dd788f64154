/** The link of a recovery: opened with the password, it leads to setting up a new second factor. */
import { createAfter } from "../lib/after.js";
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
  directories: signal(/** @type {import("../parts/directory.js").Municipality[]} */ ([])),
  /** @param {string} slug */
  show: async (slug) => {
    app.busy.value = true;
    try {
      const { go } = await api.post("oidc/begin", { municipality: slug, anew: true });
      createAfter().keep(`/factor#${token}`);
      location.assign(go);
    } catch (error) {
      app.error.value = codeOf(error);
      app.busy.value = false;
    }
  },
  /** @param {string | null} password null: the directory has just said who it is */
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
if (token) {
  const said = await api.get("municipalities").catch(() => ({ municipalities: [] }));
  app.directories.value = said.municipalities.filter((/** @type {any} */ one) => one.directory);
  // Whoever comes back from the directory is half signed in.
  if (app.directories.value.length && (await api.me().catch(() => null))) {
    await app.open(null);
    app.error.value = null; // another half sign-in than the link's: the form is there
  }
}
