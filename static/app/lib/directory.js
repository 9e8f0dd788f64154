/**
 * What a municipality's own directory puts into the address when it sends a browser back
 * (PROTOCOL.md section 5.2).
 */

/**
 * @param {{pathname: string, search: string}} address `/signed-in/SLUG?code=…&state=…`
 * @returns {{municipality: string, state: string, code: string | null, iss: string | null} | null} null when it is no answer
 */
export function answerIn({ pathname, search }) {
  const [, municipality = ""] = /^\/signed-in\/([a-z0-9-]{1,64})$/.exec(pathname) ?? [];
  const said = new URLSearchParams(search);
  const state = said.get("state");
  if (!municipality || !state) return null;
  return { municipality, state, code: said.get("code"), iss: said.get("iss") };
}
