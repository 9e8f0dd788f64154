/** Signing in by the municipality's own directory: the button on the sign-in page, and coming back. */
import { Door } from "./door.js";
import { ErrorNotice } from "./errors.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @typedef {{slug: string, name: string, directory?: {name: string | null} | null}} Municipality */

/**
 * @param {{municipality: Municipality | undefined, busy: boolean, go: (slug: string) => void}} props
 */
export function ByDirectory({ municipality, busy, go }) {
  if (!municipality?.directory) return null;
  const { slug, directory } = municipality;
  return html`<button class="btn big wide" type="button" aria-disabled=${busy ? "true" : undefined} onClick=${() => busy || go(slug)}>
    <${Icon} name="desk" />${directory.name ?? t("sign_in.directory")}
  </button>`;
}

/** @param {{error: import("./html.js").Signal<string | null>}} props */
export function SignedIn({ error }) {
  const failed = error.value !== null;
  return html`<${Door} title=${t(failed ? "signed_in.failed" : "signed_in.title")}>
    <${ErrorNotice} code=${error.value} />
    ${failed
      ? html`<a class="btn wide" href="/sign-in"><${Icon} name="left" />${t("signed_in.again")}</a>`
      : html`<p class="row" role="status"><${Icon} name="refresh" class="turning" />${t("signed_in.what")}</p>`}
  <//>`;
}
