/** One's own ways of signing in; also where half a sign-in sets up its second factor. */
import { createAfter } from "../lib/after.js";
import { createApi } from "../lib/api.js";
import { homeOf } from "../lib/home.js";
import { makePasskey } from "../lib/passkey.js";
import { Account } from "../parts/account.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage } from "./start.js";

const asked = new URLSearchParams(location.search);
const half = asked.get("page") === "sign-in";
const page = half ? "sign-in" : asked.get("page") === "officer" ? "officer" : "desk";
const api = createApi({ page });
let goesOnTo = asked.get("to") === "officer" ? "officer" : "desk";
let home = `/${goesOnTo}`;

/** Do one thing at a time; whatever is refused is said. @param {() => Promise<void>} work */
async function once(work) {
  if (app.busy.value) return;
  app.busy.value = true;
  app.error.value = app.done.value = null;
  try {
    await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === "signed_out") location.replace(`/sign-in?page=${goesOnTo}`);
    app.error.value = code;
  }
  app.busy.value = false;
}

/** Half a sign-in goes on by the factor that was just set up. @param {any} answer @param {string} done */
function taken(answer, done) {
  if (half) return location.replace(home);
  app.factors.value = answer;
  app.offer.value = null;
  app.done.value = done;
}

const where = () => (half ? goesOnTo : null);

/** @type {import("../parts/account.js").AccountApp} */
const app = {
  half,
  back: `/${page}`,
  factors: signal(null),
  offer: signal(null),
  error: signal(null),
  done: signal(null),
  busy: signal(false),
  offerCode: (password) =>
    void once(async () => {
      app.offer.value = await api.post("factors/totp", { password: half ? null : password });
    }),
  takeCode: (code) =>
    void once(async () => taken(await api.post("factors/totp/confirm", { code, page: where() }), "code")),
  showDirectory: () =>
    void once(async () => {
      const { go } = await api.post("oidc/begin", { municipality: app.factors.peek()?.directory, anew: true });
      createAfter().keep(`/account?page=${page}`);
      location.assign(go);
    }),
  dropOffer: () => (app.offer.value = null),
  addPasskey: (name, password) =>
    void once(async () => {
      const given = { password: half ? null : password };
      const { options } = await api.post("factors/passkeys/options", given);
      const credential = await makePasskey(options);
      taken(await api.post("factors/passkeys", { name, credential, page: where() }), "passkey");
    }),
  remove: (factor, password) =>
    void once(async () => taken(await api.post("factors/remove", { factor, password }), "removed")),
};

const element = await startPage("account");
draw(html`<${Account} app=${app} />`, element);
await once(async () => {
  const me = /** @type {any} */ (await api.me());
  if (half) {
    goesOnTo = me.page;
    home = homeOf(me.person.role);
  } else app.back = homeOf(me.you.person.role);
  app.factors.value = await api.get("factors");
});
