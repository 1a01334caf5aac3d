// Tokens that a provider issued to somebody who signed in there, but not for the endpoint, and one that nobody issued: each is refused, and nothing is called.
// Started as `node refused.mjs UNJUDGED NAME ENDPOINT API UPSTREAM …`, with four arguments for each provider; UNJUDGED is an endpoint where nobody but the API judges, and UPSTREAM says whether the API takes the token itself (`forward`) or what it is traded for.

import { randomUUID } from "node:crypto";
import { Browser } from "../browse.mjs";
import { ask, Callback, call, redeem, register, request } from "../oauth.mjs";
import { READER } from "../people.mjs";

const ELSEWHERE = "https://elsewhere.example/mcp";
const TOOL = "whoAmI";

const callback = await new Callback().listen();

// Signs somebody in as clients do: by what the endpoint says of its provider, and the provider of itself.
class Client {
  static async of(endpoint) {
    const client = new Client();
    const { origin, pathname } = new URL(endpoint);
    const resource = await read(`${origin}/.well-known/oauth-protected-resource${pathname}`);
    const issuer = resource.authorization_servers[0];
    const server = new URL(issuer);
    client.server = await read(`${server.origin}/.well-known/oauth-authorization-server${server.pathname.replace(/^\/$/, "")}`);
    if (client.server.issuer !== issuer) throw new Error(`${issuer} calls itself ${client.server.issuer}`);
    client.scope = resource.scopes_supported?.join(" ");
    client.id = await register(client.server, callback.redirectUri);
    return client;
  }

  async token(resource) {
    const asked = request(this.server, this.id, callback.redirectUri, resource, this.scope);
    const answer = callback.answer(asked.state);
    const ended = new Browser(READER.login).open(asked.url);
    const code = await Promise.race([answer, ended.then(({ url }) => Promise.reject(new Error(`nobody got further than ${url}`)))]);
    return redeem(asked, code.get("code"));
  }
}

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return answer.json();
}

async function refuses(endpoint, api, token, whose) {
  const before = await read(`${api}/calls`);
  const answer = await ask(endpoint, token, TOOL);
  const challenge = answer.headers.get("www-authenticate") ?? "";
  if (answer.status !== 401 || !challenge.includes('error="invalid_token"')) {
    throw new Error(`a token ${whose} is answered with ${answer.status} ${challenge} ${await answer.text()}`);
  }
  const after = await read(`${api}/calls`);
  if (after.calls !== before.calls) throw new Error(`the API was called with a token ${whose}`);
}

async function namesNobody(endpoint, token) {
  const answer = await ask(endpoint, token, TOOL);
  const text = await answer.text();
  if (answer.status !== 200 || JSON.parse(text).result?.isError !== true || text.includes(READER.name)) {
    throw new Error(`the token of another provider is answered with ${answer.status} ${text}`);
  }
}

// What is for the API is not for the endpoint, where tokens are traded, and the other way round.
async function takes(api, token, upstream) {
  const { status } = await fetch(`${api}/me`, { headers: { Authorization: `Bearer ${token}` } });
  const expected = upstream === "forward" ? 200 : 401;
  if (status !== expected) throw new Error(`the API answers ${status} to the token itself`);
}

async function judge(unjudged, name, endpoint, api, upstream) {
  const started = performance.now();
  const client = await Client.of(endpoint);
  const [ours, others, nobodys] = [await client.token(endpoint), await client.token(ELSEWHERE), await client.token()];
  // Otherwise it might be refused for anything.
  const { name: person } = JSON.parse(await call(endpoint, ours, TOOL));
  if (person !== READER.name) throw new Error(`the tool was called as ${person}`);
  await takes(api, ours, upstream);
  await namesNobody(unjudged, ours);
  if (upstream !== "forward") await refuses(endpoint, api, await client.token(api), "for the API");
  await refuses(endpoint, api, others, "for another resource");
  await refuses(endpoint, api, nobodys, "for no resource");
  await refuses(endpoint, api, randomUUID(), "that nobody issued");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${seconds.padStart(5)} s  \`${name}\` refuses tokens for others, for nobody and by nobody`);
}

try {
  const [unjudged, ...providers] = process.argv.slice(2);
  for (let rest = providers; rest.length > 0; rest = rest.slice(4)) await judge(unjudged, ...rest);
} finally {
  callback.close();
}
