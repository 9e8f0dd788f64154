/** The frame of 連携 and 件数: brand, the two pages, who is signed in, what was refused. */
import { LanguageButton } from "./choose.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Refused } from "./officer-page.js";
import { Toasts } from "./toast.js";
import { Brand } from "./topbar.js";
import { t } from "./words.js";

/** @typedef {import("./html.js").Node} Node */
/** @template T @typedef {import("./html.js").Signal<T>} Signal */
/** @typedef {{municipality: {id: string, name: string}, person: {id: string, name: string, role: string}}} You */

const PAGES = /** @type {const} */ ([
  ["hooks", "link"],
  ["counts", "file"],
]);

/**
 * @param {{here: "hooks" | "counts", page: string, you: You | null, error: any, toasts: any, signOut: () => void, children?: Node}} props
 */
export function SystemsPage({ here, page, you, error, toasts, signOut, children }) {
  if (!you) return html`<main class="dmain"><p role="status">${t("officer.loading")}</p>${error && html`<${Refused} error=${error} />`}</main>`;
  const own = page === "desk" ? PAGES.filter(([name]) => name === "counts") : PAGES;
  return html`<div class="desk flow">
    <header class="dtop otop">
      <${Brand} name=${you.municipality.name} />
      <nav aria-label=${t("systems.nav")}>
        ${own.map(([name, icon]) => html`<a key=${name} href=${`/${name}?page=${page}`} aria-current=${name === here ? "page" : undefined}><${Icon} name=${icon} />${t(`page.${name}`)}</a>`)}
        <a href=${`/${page}`}><${Icon} name="left" />${t(page === "desk" ? "page.desk" : "page.officer")}</a>
      </nav>
      <div class="end">
        <a class="row tight nw own who" href=${`/account?page=${page}`} title=${t("account.title")}><${Icon} name="person" />${you.person.name}</a>
        <${LanguageButton} />
        <button class="btn plain low" type="button" onClick=${signOut} aria-label=${t("common.sign_out")}><${Icon} name="exit" /></button>
      </div>
    </header>
    ${error && html`<div class="owarn"><${Refused} error=${error} /></div>`}
    ${children}
    <${Toasts} toasts=${toasts} />
  </div>`;
}
