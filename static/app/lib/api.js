/**
 * HTTP of a page (PROTOCOL.md section 5).
 *
 *     const api = createApi({page: "counter"});
 *     const {you} = await api.me();
 *     await api.post("sign-in", {municipality: null, login, password});
 *     const {procedures} = await api.get("procedures");
 *     await api.signedIn();                 // for Connection's stillSignedIn
 *     api.urls.socket(); api.urls.files(callId); api.urls.content(callId, fileId, {inline: true});
 *
 * A counter shows the tablet's key before anything else, and whenever the server asks for it anew
 * (`tablet` of createApi, see tablet-key.js); its page token goes with every request.
 *
 * Every failure is a `ServerError` with a code of section 6 or `no_network`.
 */
import { ServerError } from "./errors.js";

/** @typedef {{you: import("./protocol.js").You, csrf: string}} Me */

/** Status to code where a proxy answered instead of our server. @type {Record<number, string>} */
const BARE_STATUS = {
  401: "signed_out",
  403: "denied",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  429: "too_many_tries",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

/**
 * @param {{page: import("./protocol.js").PageName, origin?: string, fetch?: typeof fetch, tablet?: Pick<ReturnType<typeof import("./tablet-key.js").createTabletKey>, "page">}} options
 * `origin` is "https://host" of the server, the page's own by default
 */
export function createApi({ page, origin = globalThis.location?.origin ?? "", tablet, ...rest }) {
  const fetcher = rest.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const root = `${origin}/api/v1/`;
  let csrf = "";
  let ticket = "";

  /** @param {string} path @param {Record<string, string>} [query] */
  const address = (path, query = {}) => {
    const [bare, own = ""] = path.split("?");
    const search = new URLSearchParams(own);
    search.set("page", page);
    for (const [name, value] of Object.entries(query)) search.set(name, value);
    return `${root}${bare.replace(/^\//, "")}?${search}`;
  };

  /** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  async function request(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (method !== "GET" || (tablet && csrf)) headers["X-CSRF-Token"] = csrf;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await reach(fetcher, address(path), {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answerOf(response);
  }

  /** Ask who this page is, showing the tablet's key; remembers the CSRF token. @returns {Promise<Me>} */
  async function me() {
    if (!tablet) return remember(await request("GET", page === "sign-in" ? "half" : "me"));
    const asked = await request("POST", "tablet/challenge", {});
    const signature = await tablet.page(asked);
    return remember(await request("POST", "tablet/proof", { challenge: asked.challenge, signature }));
  }

  /** A token that has grown old is fetched anew once. @param {string} method @param {string} path @param {unknown} [body] */
  async function change(method, path, body) {
    try {
      return remember(await request(method, path, body));
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== "csrf") throw error;
      await me();
      return remember(await request(method, path, body));
    }
  }

  /** @param {any} answer */
  function remember(answer) {
    if (typeof answer?.csrf === "string") csrf = answer.csrf;
    if (typeof answer?.ticket === "string") ticket = answer.ticket;
    return answer;
  }

  return {
    me,
    /** @param {string} path */
    get: (path) => (tablet ? change("GET", path) : request("GET", path)),
    /** A file to be saved; its failure is told as any other. @param {string} path @returns {Promise<Blob>} */
    async file(path) {
      const response = await reach(fetcher, address(path), { credentials: "same-origin", cache: "no-store" });
      if (!response.ok) throw await errorOf(response);
      return response.blob();
    },
    /** @param {string} path @param {unknown} [body] */
    post: (path, body = {}) => change("POST", path, body),
    /** The CSRF token for `Upload`; `fresh` asks the server again. @param {{fresh?: boolean}} [options] */
    async csrf({ fresh = false } = {}) {
      if (fresh || !csrf) await me();
      return csrf;
    },
    /** Tell whether the sign-in still stands; rejects when the server cannot be asked. */
    async signedIn() {
      try {
        await me();
        return true;
      } catch (error) {
        if (error instanceof ServerError && error.status === 401) return false;
        throw error;
      }
    },
    urls: {
      precheckFile: () => address("precheck/file"),
      socket: () => address("ws").replace(/^http/, "ws"),
      /** @param {string} call */
      files: (call) => address(`calls/${call}/files`),
      /** @param {string} call @param {string} file @param {{inline?: boolean}} [options] */
      content: (call, file, { inline = false } = {}) =>
        address(`calls/${call}/files/${file}/content`, { ...(inline && { inline: "1" }), ...(ticket && { ticket }) }),
    },
  };
}

/**
 * Fetch, with the one failure that has no answer named.
 * @param {typeof fetch} fetcher @param {string} url @param {RequestInit} init
 */
export async function reach(fetcher, url, init) {
  try {
    return await fetcher(url, init);
  } catch (cause) {
    throw new ServerError("no_network", "the server was not reached", { cause });
  }
}

/**
 * The `ServerError` that a failed response carries.
 * @param {Response} response
 */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return ServerError.from(body, BARE_STATUS[response.status] ?? "internal", response.status);
}

/** @param {Response} response */
async function answerOf(response) {
  if (!response.ok) throw await errorOf(response);
  if (response.status === 204) return null;
  return response.json();
}
