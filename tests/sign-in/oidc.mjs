// npm oidc-provider with one client and no registration, and beside it an API that asks it who a token stands for.
// Started as `node oidc.mjs GATEWAY PORT API_PORT [ORIGIN CERTIFICATE KEY]`; browsers then reach it at ORIGIN, over TLS. The pages are those that the package brings along; a login is an account of people.mjs.

import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { Provider } from "oidc-provider";
import { introspect, serve } from "./api.mjs";
import { accountOf, CLIENT, PEOPLE } from "./people.mjs";

const [gateway, port, apiPort, origin, ...files] = process.argv.slice(2);
// Where programs reach it.
const here = `http://127.0.0.1:${port}`;

// How the API authenticates when it asks.
const API = { client_id: "api", client_secret: "secret-of-the-api-at-the-provider" };

const provider = new Provider(origin ?? here, {
  clients: [
    { ...CLIENT, redirect_uris: [`${gateway}/callback/oidc`], grant_types: ["authorization_code", "refresh_token"] },
    { ...API, redirect_uris: [], grant_types: [], response_types: [] },
  ],
  scopes: ["openid", "offline_access", "me:read"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
  cookies: { keys: ["signs the cookies of a test"] },
  features: { introspection: { enabled: true } },
  findAccount: (_, id) => accountOf(id),
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1");
if (origin) {
  const [cert, key] = files.map((file) => readFileSync(file));
  createTlsServer({ cert, key }, provider.callback()).listen(Number(new URL(origin).port), "127.0.0.1");
}

serve(apiPort, async (token) => {
  const { client_id: client, scope = "", sub } = (await introspect(`${here}/token/introspection`, API, token)) ?? {};
  if (client !== CLIENT.client_id || !scope.split(" ").includes("me:read")) return undefined;
  return PEOPLE.find(({ login }) => login === sub);
});
