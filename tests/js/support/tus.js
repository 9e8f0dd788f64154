/**
 * A tus 1.0 server in memory behind real HTTP, with the answers of PROTOCOL.md section 5 and
 * faults that a test orders: a cut in the middle of a body, a wrong checksum, a busy file.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** @typedef {{length: number, metadata: Record<string, string>, data: Buffer}} Stored */

export class TusServer {
  /** @type {Map<string, Stored>} */
  files = new Map();
  /** @type {string[]} "METHOD path status" */
  log = [];
  /** @type {string} */
  csrf = "good";
  /** Cut the connection after this many bytes of the next PATCH; the bytes are kept. @type {number | null} */
  cutAfter = null;
  /** Answer the next requests of a method so. @type {{method: string, status: number, code?: string}[]} */
  faults = [];
  /** Keep the bytes of the next PATCH and lose the answer. */
  loseAnswer = false;
  /** @type {string} */
  origin = "";
  /** @type {(() => void) | null} called when a PATCH has begun */
  onPatch = null;

  /** @param {{after: (run: () => void) => void}} context */
  async start(context) {
    const server = createServer((request, response) => void this.#handle(request, response));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    this.origin = `http://127.0.0.1:${port}`;
    context.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return this;
  }

  get url() {
    return `${this.origin}/api/v1/calls/c1/files?page=counter`;
  }

  /** Methods and statuses, in order. */
  get steps() {
    return this.log.map((line) => line.replace(/ \S+ /, " "));
  }

  /** @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
  async #handle(request, response) {
    const url = new URL(request.url ?? "", this.origin);
    const method = request.method ?? "";
    /** @param {number} status @param {Record<string, string>} [headers] @param {string} [code] */
    const answer = (status, headers = {}, code) => {
      this.log.push(`${method} ${url.pathname} ${status}`);
      response.writeHead(status, { "Tus-Resumable": "1.0.0", ...headers });
      response.end(code && method !== "HEAD" ? JSON.stringify({ error: { code, message: "" } }) : "");
    };
    const at = this.faults.findIndex((fault) => fault.method === method);
    if (at >= 0) {
      const [{ status, code }] = this.faults.splice(at, 1);
      request.resume();
      return answer(status, {}, code);
    }
    if (request.headers["tus-resumable"] !== "1.0.0") return answer(412);
    if (url.searchParams.get("page") !== "counter") return answer(400, {}, "protocol");
    if (method !== "HEAD" && request.headers["x-csrf-token"] !== this.csrf) {
      request.resume();
      return answer(403, {}, "csrf");
    }
    if (method === "POST") return this.#create(request, answer);
    const id = url.pathname.split("/").at(-1) ?? "";
    const file = this.files.get(id);
    if (!file) return answer(404, {}, "not_found");
    if (method === "HEAD") return answer(200, { "Upload-Offset": `${file.data.length}` });
    if (method === "DELETE") {
      this.files.delete(id);
      return answer(204);
    }
    return this.#append(request, response, file, answer);
  }

  /** @param {import("node:http").IncomingMessage} request @param {(status: number, headers?: Record<string, string>, code?: string) => void} answer */
  #create(request, answer) {
    const pairs = String(request.headers["upload-metadata"]).split(",");
    const metadata = Object.fromEntries(
      pairs.map((pair) => pair.split(" ")).map(([k, v]) => [k, Buffer.from(v, "base64").toString()]),
    );
    const id = `f${this.files.size + 1}`;
    const length = Number(request.headers["upload-length"]);
    this.files.set(id, { length, metadata, data: Buffer.alloc(0) });
    answer(201, { Location: `/api/v1/calls/c1/files/${id}` });
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   * @param {Stored} file
   * @param {(status: number, headers?: Record<string, string>, code?: string) => void} answer
   */
  async #append(request, response, file, answer) {
    if (Number(request.headers["upload-offset"]) !== file.data.length) {
      request.resume();
      return answer(409, {}, "wrong_offset");
    }
    this.onPatch?.();
    const before = file.data;
    let body = Buffer.alloc(0);
    for await (const part of request) {
      body = Buffer.concat([body, part]);
      if (this.cutAfter === null || body.length < this.cutAfter) continue;
      file.data = Buffer.concat([before, body.subarray(0, this.cutAfter)]);
      this.cutAfter = null;
      this.log.push("PATCH cut 0");
      return response.destroy();
    }
    const [, given] = String(request.headers["upload-checksum"]).split(" ");
    if (createHash("sha256").update(body).digest("base64") !== given) return answer(460);
    file.data = Buffer.concat([before, body]);
    if (this.loseAnswer) {
      this.loseAnswer = false;
      this.log.push("PATCH lost 0");
      return response.destroy();
    }
    return answer(204, { "Upload-Offset": `${file.data.length}` });
  }
}
