/** 連携: webhooks, keys of other systems, and what could not be told. */
import { HooksPage } from "../parts/hooks-page.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage } from "./start.js";
import { createSystems } from "./systems.js";

const systems = createSystems("hooks", "officer");
const { api, load, change } = systems;
const hooks = signal(/** @type {any} */ (null));
const tokens = signal(/** @type {any} */ (null));
const once = signal(/** @type {import("../parts/hooks-page.js").Once | null} */ (null));

const refresh = () => Promise.all([load("hooks", hooks), load("tokens", tokens)]);

/** Do it, show what is shown once, and fetch anew. @param {() => Promise<any>} work @param {string} said */
async function doing(work, said) {
  const answer = await change(work, said);
  if (answer) await refresh();
  return answer;
}

/** @type {import("../parts/hooks-page.js").HooksApp} */
const app = {
  ...systems,
  hooks,
  tokens,
  once,
  add: async (body) => {
    const made = await doing(() => api.post("hooks", body), "hooks.added");
    if (made) once.value = { kind: "secret", name: made.webhook.name, text: made.secret, publicKey: made.webhook.public_key };
    return made !== null;
  },
  rotate: async (hook) => {
    const made = await doing(() => api.post(`hooks/${hook}/rotate`, {}), "hooks.rotated");
    if (made) once.value = { kind: "secret", name: made.webhook.name, text: made.secret, publicKey: made.webhook.public_key };
  },
  test: (hook) => void doing(() => api.post(`hooks/${hook}/test`), "hooks.tested"),
  remove: (hook) => void doing(() => api.post(`hooks/${hook}/remove`), "hooks.removed"),
  deliver: (delivery, what) => void doing(() => api.post(`deliveries/${encodeURIComponent(delivery)}/${what}`), what === "retry" ? "hooks.retry.done" : "hooks.give_up.done"),
  makeToken: async (body) => {
    const made = await doing(() => api.post("tokens", body), "tokens.made");
    if (made) once.value = { kind: "token", name: made.item.name, text: made.token, publicKey: "" };
    return made !== null;
  },
  revoke: (token) => void doing(() => api.post(`tokens/${token}/revoke`), "tokens.revoked"),
};

const element = await startPage("hooks");
await systems.begin();
draw(html`<${HooksPage} app=${app} />`, element);
if (systems.you.value) await refresh();
