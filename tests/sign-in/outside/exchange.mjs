// Token exchange (RFC 8693) for npm oidc-provider, which has no such grant and lets one be added.
// Who asks, what a resource is, what a token says and what it is signed with stay the provider's; decided here is which tokens are traded, and for whom.

import { createRemoteJWKSet, jwtVerify } from "jose";
import { errors } from "oidc-provider";
import { buildTokenResponse, resolveRequestedResources } from "oidc-provider/lib/helpers/grants.js";

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const PARAMETERS = ["subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "resource", "scope"];

// RFC 8693 §2.2.2: a token that is not good is an invalid request.
const refuse = (why) => { throw new errors.InvalidRequest(why); };

// Takes tokens that the provider issued for `audience`, and gives others for the resource that is asked for.
export function exchangeTokensFor(audience, algorithm, provider) {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));

  async function subjectOf({ subject_token: token, subject_token_type: type }) {
    const expected = { issuer: provider.issuer, audience, algorithms: [algorithm], typ: "at+jwt" };
    const verified = type === ACCESS_TOKEN && (await jwtVerify(token ?? "", keys, expected).catch(() => undefined));
    return verified ? verified.payload : refuse("the subject token is none that is traded");
  }

  async function actorOf({ actor_token: token, actor_token_type: type }, client) {
    if (token === undefined) return undefined;
    const actor = type === ACCESS_TOKEN && (await provider.ClientCredentials.find(token));
    return actor?.clientId === client.clientId ? actor : refuse("the actor token is not that of the client");
  }

  async function handle(ctx) {
    const { client, params } = ctx.oidc;
    const subject = await subjectOf(params);
    const actor = await actorOf(params, client);
    const [resourceServer, ...others] = await resolveRequestedResources(provider, ctx);
    if (!resourceServer || others.length > 0) throw new errors.InvalidTarget("name one resource");
    const had = new Set(subject.scope?.split(" "));
    const scope = [...new Set(params.scope?.split(" "))].filter((name) => resourceServer.scopes.has(name));
    if (!scope.every((name) => had.has(name))) throw new errors.InvalidScope("nobody gets more than the subject token has", params.scope);
    // Read by `actingClaims` when the token is made.
    ctx.state.actor = actor;
    const token = new provider.AccessToken({
      accountId: subject.sub,
      client,
      expiresIn: subject.exp - Math.floor(Date.now() / 1000),
      gty: "token_exchange",
      resourceServer,
      scope: scope.join(" "),
    });
    ctx.oidc.entity("AccessToken", token);
    const accessToken = await token.save();
    const { expiration: expiresIn, tokenType } = token;
    ctx.body = buildTokenResponse(provider, { accessToken, expiresIn, issuedTokenType: ACCESS_TOKEN, scope: token.scope, tokenType });
  }

  provider.registerGrantType(TOKEN_EXCHANGE, handle, PARAMETERS);
}

// RFC 8693 §4.1: who acts for the subject.
export const actingClaims = ({ state }) => state.actor && { act: { sub: state.actor.clientId } };
