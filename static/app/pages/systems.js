/** What 連携 and 件数 share: who is signed in, fetching, changing one thing at a time. */
import { createApi } from "../lib/api.js";
import { codeOf } from "../parts/errors.js";
import { signal } from "../parts/html.js";
import { createToasts } from "../parts/toast.js";
import { t } from "../parts/words.js";

/** @param {string} name of the page @param {"officer" | "desk"} page by which one is signed in */
export function createSystems(name, page) {
  const api = createApi({ page });
  const you = signal(/** @type {any} */ (null));
  const error = signal(/** @type {any} */ (null));
  const busy = signal(false);
  const toasts = createToasts();

  /** @param {unknown} failed */
  function complain(failed) {
    if (codeOf(failed) === "signed_out") location.replace(`/sign-in?page=${page}`);
    else error.value = failed;
  }

  /** @param {string} path @param {{value: any}} into */
  async function load(path, into) {
    try {
      into.value = await api.get(path);
    } catch (failed) {
      complain(failed);
    }
  }

  /** Change something, once at a time; resolves to the answer, null when it was refused. @param {() => Promise<any>} work @param {string} said @returns {Promise<any>} */
  async function change(work, said) {
    if (busy.value) return null;
    busy.value = true;
    error.value = null;
    try {
      const answer = (await work()) ?? {};
      toasts.show("ok", t(said));
      return answer;
    } catch (failed) {
      complain(failed);
      return null;
    } finally {
      busy.value = false;
    }
  }

  const signOut = async () => {
    const out = await api.post("sign-out").catch(complain);
    location.replace(out?.go ?? `/sign-in?page=${page}`);
  };

  /** Who is signed in; where nobody is, the sign-in page follows. */
  async function begin() {
    try {
      you.value = (await api.me()).you;
    } catch (failed) {
      complain(failed);
    }
    return you.value !== null;
  }
  return { api, name, page, you, error, busy, toasts, load, change, signOut, begin };
}
