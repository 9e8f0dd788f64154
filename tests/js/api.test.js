import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../static/app/lib/api.js";
import { json, serve } from "./support/http.js";

/**
 * @param {{after: (run: () => void) => void}} context
 * @param {Record<string, (request: import("node:http").IncomingMessage, body: string) => [number, unknown]>} routes
 */
async function world(context, routes) {
  /** @type {string[]} */
  const seen = [];
  const origin = await serve(context, (request, response, body) => {
    seen.push(`${request.method} ${request.url}`);
    const path = (request.url ?? "").split("?")[0].replace("/api/v1/", "");
    const [status, answer] = routes[`${request.method} ${path}`](request, body.toString());
    if (status === 204) response.writeHead(204).end();
    else json(response, status, answer);
  });
  return { api: createApi({ page: "counter", origin }), seen, origin };
}

test("every request names the page and changes carry the token", async (context) => {
  const { api, seen } = await world(context, {
    "GET me": () => [200, { csrf: "token", you: { page: "counter" } }],
    "POST enrol": (request, body) => [200, { header: request.headers["x-csrf-token"], body: JSON.parse(body) }],
  });
  await api.me();
  assert.deepEqual(await api.post("enrol", { code: "1" }), { header: "token", body: { code: "1" } });
  assert.deepEqual(seen, ["GET /api/v1/me?page=counter", "POST /api/v1/enrol?page=counter"]);
});

test("a token that has grown old is fetched anew, once", async (context) => {
  let token = "new";
  const { api, seen } = await world(context, {
    "GET me": () => [200, { csrf: token, you: {} }],
    "POST sign-out": (request) =>
      request.headers["x-csrf-token"] === "newest"
        ? [204, null]
        : [403, { error: { code: "csrf", message: "", reasons: [] } }],
  });
  await api.me();
  token = "newest";
  assert.equal(await api.post("sign-out"), null);
  assert.equal(seen.length, 4);
  token = "wrong";
  await api.me();
  await assert.rejects(api.post("sign-out"), { code: "csrf", status: 403 });
});

test("a token that comes with a sign-in is the one used from then on", async (context) => {
  const { api } = await world(context, {
    "POST sign-in": () => [200, { you: {}, csrf: "fresh" }],
    "POST enrol": (request) => [200, request.headers["x-csrf-token"]],
  });
  await api.post("sign-in", {});
  assert.equal(await api.post("enrol", {}), "fresh");
  assert.equal(await api.csrf(), "fresh");
});

test("a refusal is a ServerError with the server's code, reasons and request", async (context) => {
  const reasons = [{ code: "office.not_direct", message: "", clause: "Q&A 11" }];
  const { api } = await world(context, {
    "GET procedures": () => [403, { error: { code: "denied", message: "no", reasons, request_id: "r1" } }],
  });
  await assert.rejects(api.get("procedures"), {
    name: "ServerError",
    code: "denied",
    reasons,
    requestId: "r1",
    status: 403,
  });
});

test("an answer that is not ours gets a code by its status", async (context) => {
  const origin = await serve(context, (_request, response) => {
    response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad Gateway</h1>");
  });
  await assert.rejects(createApi({ page: "desk", origin }).get("me"), { code: "unavailable" });
});

test("a file comes as its bytes, and its refusal as any other", async (context) => {
  const { api } = await world(context, {
    "GET records/r/pdf": () => [200, "%PDF"],
    "GET records/s/pdf": () => [503, { error: { code: "no_pdf", message: "", reasons: [] } }],
  });
  assert.equal(await (await api.file("records/r/pdf?language=ja")).text(), '"%PDF"');
  await assert.rejects(api.file("records/s/pdf"), { code: "no_pdf", status: 503 });
});

test("a server that is not there is no_network", async () => {
  const api = createApi({ page: "desk", origin: "http://127.0.0.1:1" });
  await assert.rejects(api.get("me"), { code: "no_network" });
});

test("only a clear no means signed out", async (context) => {
  let status = 200;
  const { api } = await world(context, {
    "GET me": () => [status, status === 200 ? { csrf: "", you: {} } : {}],
  });
  assert.equal(await api.signedIn(), true);
  status = 401;
  assert.equal(await api.signedIn(), false);
  status = 503;
  await assert.rejects(api.signedIn(), { code: "unavailable" });
});

test("addresses name the page and keep their own query", () => {
  const { urls } = createApi({ page: "desk", origin: "https://madoguchi.example" });
  assert.equal(urls.socket(), "wss://madoguchi.example/api/v1/ws?page=desk");
  assert.equal(urls.files("c"), "https://madoguchi.example/api/v1/calls/c/files?page=desk");
  assert.equal(
    urls.content("c", "f", { inline: true }),
    "https://madoguchi.example/api/v1/calls/c/files/f/content?page=desk&inline=1",
  );
});
