/** What every page does first: words, title, the element to draw in. */
import { effect, render } from "../parts/html.js";
import { loadWords, t } from "../parts/words.js";

/**
 * Load the words and name the page; resolves to the element that the page draws in.
 * @param {string} name `page.<name>` of the words
 */
export async function startPage(name) {
  await loadWords();
  effect(() => {
    document.title = `${t(`page.${name}`)}｜${t("brand")}`;
  });
  return /** @type {HTMLElement} */ (document.getElementById("page"));
}

/** @param {import("../parts/html.js").Node} node @param {HTMLElement} element */
export const draw = (node, element) => render(node, element);

/** The secret after `#`, taken out of the address bar at once so that nobody reads or shares it. */
export function takeFragment() {
  // A link that is opened where another failed changes nothing but the fragment: begin again with it.
  addEventListener("hashchange", () => location.reload());
  const secret = decodeURIComponent(location.hash.slice(1));
  if (secret) history.replaceState(null, "", location.pathname + location.search);
  return secret;
}
