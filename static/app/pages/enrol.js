/** Enrolling this tablet by a code, typed or from the fragment of a QR code's link. */
import { createApi } from "../lib/api.js";
import { persist } from "../lib/storage.js";
import { createTabletKey } from "../lib/tablet-key.js";
import { Enrol } from "../parts/entry.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { mustEnrol } from "../parts/view.js";
import { draw, startPage, takeFragment } from "./start.js";

const code = takeFragment();
const api = createApi({ page: "counter" });
const tablet = createTabletKey();
const why = new URLSearchParams(location.search).get("why");
const app = {
  busy: signal(false),
  error: signal(why && mustEnrol(why) ? why : null),
  done: signal(/** @type {import("../lib/protocol.js").CounterYou | null} */ (null)),
  /** @param {string} given */
  enrol: async (given) => {
    app.busy.value = true;
    app.error.value = null;
    try {
      const { you } = await api.post("enrol", { code: given, ...(await tablet.claim(given)) });
      await tablet.keep();
      app.done.value = you;
      // The enrolment stands in a cookie: the browser is asked not to clear it.
      await persist();
    } catch (error) {
      app.error.value = codeOf(error);
    }
    app.busy.value = false;
  },
};

const element = await startPage("enrol");
draw(html`<${Enrol} app=${app} />`, element);
if (code) await app.enrol(code);
