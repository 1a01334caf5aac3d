// npm oidc-provider where clients register themselves and name the resource that they want a token for; once with signed access tokens, once with opaque ones, and once with signed ones that it trades.
// Started as `node registering.mjs GATEWAY SIGNED_PORT SIGNED_API_PORT OPAQUE_PORT OPAQUE_API_PORT EXCHANGED_PORT EXCHANGED_API_PORT`.
// The API behind the first judges tokens by itself, and that behind the second asks the provider. Both take those only that are for the gateway's endpoint, as what passes them on must.
// The API behind the third judges by itself too, and takes none but those that are for itself and say that the gateway acts for the person.

import { createRemoteJWKSet, jwtVerify } from "jose";
import { Provider } from "oidc-provider";
import { introspect, serve } from "../api.mjs";
import { accountOf, CLIENT, PEOPLE } from "../people.mjs";
import { actingClaims, exchangeTokensFor, TOKEN_EXCHANGE } from "./exchange.mjs";

const [gateway, signedPort, signedApiPort, opaquePort, opaqueApiPort, exchangedPort, exchangedApiPort] = process.argv.slice(2);
const SCOPE = "me:read";
const ALGORITHM = "RS256";

// Who asks about tokens: we, and the API.
const API = { client_id: "api", client_secret: "secret-of-the-api-at-the-provider" };
const ASKING = [CLIENT, API].map((client) => ({ ...client, redirect_uris: [], grant_types: [], response_types: [] }));
// Who trades tokens: we.
const TRADING = [{ ...CLIENT, redirect_uris: [], grant_types: ["client_credentials", TOKEN_EXCHANGE], response_types: [] }];

// Knows every resource that it is asked for, so that tokens for others than us can be had.
function start(port, name, accessTokenFormat, clients) {
  const issuer = `http://127.0.0.1:${port}`;
  const getResourceServerInfo = (_, audience) => ({ audience, scope: SCOPE, accessTokenFormat, jwt: { sign: { alg: ALGORITHM } } });
  const provider = new Provider(issuer, {
    clients,
    scopes: ["openid", "offline_access", SCOPE],
    cookies: { keys: ["signs the cookies of a test"], names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` } },
    extraTokenClaims: actingClaims,
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: { enabled: true, defaultResource: () => undefined, useGrantedResource: () => true, getResourceServerInfo },
    },
    findAccount: (_, id) => accountOf(id),
  });
  provider.on("server_error", (_, error) => console.error(error));
  exchangeTokensFor(`${gateway}/${name}/mcp`, ALGORITHM, provider);
  provider.listen(Number(port), "127.0.0.1");
  return issuer;
}

// Judges tokens by their signatures, audiences, and whatever else is demanded of them.
function judge(issuer, audience, isTaken = () => true) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  return async (token) => {
    const expected = { issuer, audience, algorithms: [ALGORITHM], typ: "at+jwt" };
    const verified = await jwtVerify(token, keys, expected).catch(() => undefined);
    return verified && isTaken(verified.payload) ? personOf(verified.payload) : undefined;
  };
}

function personOf({ sub, scope = "" }) {
  return scope.split(" ").includes(SCOPE) ? PEOPLE.find(({ login }) => login === sub) : undefined;
}

const signed = start(signedPort, "signed", "jwt", ASKING);
serve(signedApiPort, judge(signed, `${gateway}/signed/mcp`));

const opaque = start(opaquePort, "opaque", "opaque", ASKING);
serve(opaqueApiPort, async (token) => {
  const claims = await introspect(`${opaque}/token/introspection`, API, token);
  return claims?.aud === `${gateway}/opaque/mcp` ? personOf(claims) : undefined;
});

const exchanged = start(exchangedPort, "exchanged", "jwt", TRADING);
const exchangedApi = `http://127.0.0.1:${exchangedApiPort}`;
serve(exchangedApiPort, judge(exchanged, exchangedApi, ({ act }) => act?.sub === CLIENT.client_id));
