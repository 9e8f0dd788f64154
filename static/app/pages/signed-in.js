/** Coming back from the municipality's own directory: what it said goes to the server at once and out of the address bar. */
import { createApi } from "../lib/api.js";
import { createAfter } from "../lib/after.js";
import { answerIn } from "../lib/directory.js";
import { SignedIn } from "../parts/directory.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { draw, startPage } from "./start.js";

const answer = answerIn(location);
history.replaceState(null, "", location.pathname);
const api = createApi({ page: "desk" });
const after = createAfter();
const error = signal(/** @type {string | null} */ (answer ? null : "oidc_state"));

const element = await startPage("sign_in");
draw(html`<${SignedIn} error=${error} />`, element);
if (answer) {
  try {
    const { page } = await api.post("oidc/finish", answer);
    const known = ["/officer", "/sign-in?page=desk#half", "/sign-in?page=officer#half"];
    const half = page.includes("#half");
    // A recovery's link is opened with half a sign-in, one's own account with a whole one.
    const on = after.waitsForHalf() === half ? after.take() : null;
    location.replace(on ?? (known.includes(page) ? page : "/desk"));
  } catch (failure) {
    error.value = codeOf(failure);
  }
}
