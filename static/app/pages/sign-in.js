/** Signing in at a desk, at the officer's page or at the administration. */
import { createAfter } from "../lib/after.js";
import { createApi } from "../lib/api.js";
import { homeOf } from "../lib/home.js";
import { hasPasskeys, usePasskey } from "../lib/passkey.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { SignIn } from "../parts/sign-in.js";
import { draw, startPage } from "./start.js";

// A clerk signs in on the tablet's own page, by PIN.
if (new URLSearchParams(location.search).get("page") === "counter") location.replace("/counter");
const page = new URLSearchParams(location.search).get("page") === "officer" ? "officer" : "desk";
const api = createApi({ page });
const halfApi = createApi({ page: "sign-in" });

/** @type {import("../parts/sign-in.js").SignInApp} */
const app = {
  page,
  municipalities: signal([]),
  error: signal(null),
  busy: signal(false),
  half: signal(null),
  passkeys: signal({ possible: false }),
  signIn: (municipality, login, password) =>
    once(async () => goOn(await api.post("sign-in", { municipality, login, password }))),
  code: (code) => once(async () => goOn(await halfApi.post("sign-in/code", { page, code }))),
  passkey: () =>
    once(async () => {
      const { options } = await api.post("sign-in/passkey/options");
      goOn(await api.post("sign-in/passkey", { credential: await usePasskey(options) }));
    }),
  lost: () =>
    once(async () => {
      await halfApi.post("recovery");
      app.half.value = /** @type {any} */ (await halfApi.me()).half;
      app.busy.value = false;
    }),
  again: () => {
    app.half.value = app.error.value = null;
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

/** Do one thing at a time; a refusal is said, and half a sign-in that is over begins again. @param {() => Promise<void>} work */
async function once(work) {
  app.busy.value = true;
  app.error.value = null;
  try {
    await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === "signed_out") app.half.value = null;
    app.error.value = code;
    app.busy.value = false;
  }
}

/** A whole sign-in leads to the page of its role, half a one to its second half or to setting one up. @param {any} answer */
function goOn({ half, you }) {
  if (!half) return location.replace(createAfter().take() ?? homeOf(you?.person?.role));
  if (half.enrol) return location.replace(`/account?page=sign-in&to=${page}`);
  app.half.value = half;
  app.busy.value = false;
}

/** What the server says to whoever comes to the desk's door. */
async function lookAround() {
  const said = await api.get("municipalities").catch(() => ({ municipalities: [], passkeys: { possible: false } }));
  app.municipalities.value = said.municipalities;
  app.passkeys.value = { possible: said.passkeys.possible && hasPasskeys() };
  // A one-time link stood for the password.
  if (location.hash === "#half") await once(async () => goOn(await halfApi.me()));
}

const element = await startPage("sign_in");
draw(html`<${SignIn} app=${app} />`, element);
await lookAround();
