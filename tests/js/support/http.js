import { createServer } from "node:http";

/**
 * A real HTTP server on a free port of the loopback, closed when the test ends.
 * @param {{after: (run: () => void) => void}} context
 * @param {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, body: Buffer) => void} handle
 * @returns {Promise<string>} its origin
 */
export async function serve(context, handle) {
  const server = createServer(async (request, response) => {
    /** @type {Buffer[]} */
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      return; // the client went away in the middle
    }
    handle(request, response, Buffer.concat(parts));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${address.port}`;
}

/** @param {import("node:http").ServerResponse} response @param {number} status @param {unknown} body */
export function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
