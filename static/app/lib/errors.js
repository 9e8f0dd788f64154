/**
 * The one error that the library gives to pages: a stable `code` that the page puts in words.
 */

/** What the server, or the way to it, refused. `code` is of PROTOCOL.md section 6 or LOCAL_CODES. */
export class ServerError extends Error {
  /**
   * @param {string} code
   * @param {string} [message] English, for a developer's log only
   * @param {{reasons?: import("./protocol.js").ReasonNoun[], status?: number, requestId?: string, limit?: number, cause?: unknown}} [more]
   */
  constructor(code, message = code, { reasons = [], status = 0, requestId = "", limit = 0, cause } = {}) {
    super(message, { cause });
    this.name = "ServerError";
    this.code = code;
    this.reasons = reasons;
    /** HTTP status, or 0 when the error did not come by HTTP. */
    this.status = status;
    this.requestId = requestId;
    /** What was exceeded, or the seconds to wait; 0 when nothing was said. */
    this.limit = limit;
  }

  /**
   * The error that a body or message describes; `fallback` when it describes none.
   * @param {unknown} body `{"error": {...}}`
   * @param {string} fallback
   * @param {number} [status]
   */
  static from(body, fallback, status = 0) {
    const error = /** @type {{error?: Partial<import("./protocol.js").ErrorNoun>} | null} */ (body)
      ?.error;
    if (typeof error?.code !== "string") return new ServerError(fallback, fallback, { status });
    return new ServerError(error.code, error.message ?? error.code, {
      reasons: error.reasons ?? [],
      status,
      requestId: error.request_id ?? "",
      limit: typeof error.limit === "number" ? error.limit : 0,
    });
  }
}
