// A real OpenID provider for tests, on a free port of this machine.
//
// First it prints {"port": n}. Then each line of its input is {"clients", "people", "key", "idTokenSeconds"} and
// makes a new provider on that port, with a signing key of the name `key`; it prints {"ready": key}.
// `people` gives the claims of each login; the development form takes any password.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

console.warn = console.info = () => {}; // what the library says of its development form
let handle = (_request, response) => response.writeHead(503).end();
const server = createServer((request, response) => handle(request, response));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const { port } = server.address();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ port });

const keys = new Map();
function signingKey(kid) {
  if (!keys.has(kid)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    keys.set(kid, { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" });
  }
  return keys.get(kid);
}

function configuration({ clients, people, key, idTokenSeconds }) {
  return {
    clients: clients.map((client) => ({ id_token_signed_response_alg: "ES256", ...client })),
    jwks: { keys: [signingKey(key)] },
    cookies: { keys: ["for these tests alone"] },
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], groups: ["groups"] },
    conformIdTokenClaims: true,
    ttl: { IdToken: idTokenSeconds },
    pkce: { required: () => true },
    features: { rpInitiatedLogout: { enabled: true } },
    findAccount: (_context, login) =>
      people[login] && { accountId: login, claims: () => ({ sub: login, ...people[login] }) },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = JSON.parse(line);
  handle = new Provider(`http://127.0.0.1:${port}`, configuration(wanted)).callback();
  say({ ready: wanted.key });
}
process.exit(0);
