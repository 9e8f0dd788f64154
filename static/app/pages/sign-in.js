/** Signing in, at a desk or on a tablet. */
import { createApi } from "../lib/api.js";
import { createTabletKey } from "../lib/tablet-key.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { SignIn } from "../parts/sign-in.js";
import { mustEnrol } from "../parts/view.js";
import { draw, startPage } from "./start.js";

const asked = new URLSearchParams(location.search).get("page");
const page = asked === "counter" || asked === "officer" ? asked : "desk";
const api = createApi({ page, tablet: page === "counter" ? createTabletKey() : undefined });

/** @type {import("../parts/sign-in.js").SignInApp} */
const app = {
  page,
  municipalities: signal([]),
  tablet: signal(null),
  error: signal(null),
  busy: signal(false),
  signIn: async (municipality, login, password) => {
    app.busy.value = true;
    app.error.value = null;
    try {
      await api.post("sign-in", { municipality, login, password });
      location.replace(`/${page}`);
    } catch (error) {
      app.error.value = codeOf(error);
      app.busy.value = false;
    }
  },
  byDirectory: async (municipality) => {
    app.busy.value = true;
    app.error.value = null;
    try {
      const { go } = await api.post("oidc/begin", { municipality });
      location.assign(go);
    } catch (error) {
      app.error.value = codeOf(error);
      app.busy.value = false;
    }
  },
};

/** The tablet says where it stands; one that is not enrolled goes to be enrolled. */
async function lookAtTablet() {
  try {
    const { you } = await api.me();
    if (you.page === "counter") app.tablet.value = you;
  } catch (error) {
    const code = codeOf(error);
    if (mustEnrol(code)) location.replace(code === "not_enrolled" ? "/enrol" : `/enrol?why=${code}`);
  }
}

const element = await startPage("sign_in");
draw(html`<${SignIn} app=${app} />`, element);
if (page === "counter") await lookAtTablet();
else app.municipalities.value = (await api.get("municipalities").catch(() => ({ municipalities: [] }))).municipalities;
