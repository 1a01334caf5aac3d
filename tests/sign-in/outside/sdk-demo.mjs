// The demo authorization server of npm @modelcontextprotocol/sdk, as its examples start it, and an API that knows its tokens.
// Started as `node sdk-demo.mjs GATEWAY PORT API_PORT`.
// The demo knows nobody and asks nothing, so that people are asked here for their names first.

import { DemoInMemoryAuthProvider, setupAuthServer } from "@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js";
import { serve } from "../api.mjs";
import { PEOPLE } from "../people.mjs";

const [gateway, port, apiPort] = process.argv.slice(2);
// Clients are told of the demo itself at the first, and of the gateway in its place at the second.
const endpoints = ["sdk-demo", "republished"].map((slug) => new URL(`${gateway}/${slug}/mcp`).href);

const { authorize, exchangeAuthorizationCode } = DemoInMemoryAuthProvider.prototype;
const ofCodes = new Map();
const ofTokens = new Map();
let demo;

DemoInMemoryAuthProvider.prototype.authorize = async function (client, params, response) {
  demo = this;
  const { body, query } = response.req;
  const person = PEOPLE.find(({ login }) => login === body?.account);
  if (!person) {
    response.type("html").send(page(query));
    return;
  }
  const known = new Set(this.codes.keys());
  await authorize.call(this, client, params, response);
  for (const code of this.codes.keys()) if (!known.has(code)) ofCodes.set(code, person);
};

DemoInMemoryAuthProvider.prototype.exchangeAuthorizationCode = async function (client, code, ...rest) {
  const tokens = await exchangeAuthorizationCode.call(this, client, code, ...rest);
  ofTokens.set(tokens.access_token, ofCodes.get(code));
  return tokens;
};

// Sends back what the client asks, with who it is for.
function page(query) {
  const fields = Object.entries(query).map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
  return `<!doctype html><title>Sign in</title><form method="post">${fields.join("")}<input name="account"><input type="password" name="password"><button>Sign in</button></form>`;
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

setupAuthServer({ authServerUrl: new URL(`http://127.0.0.1:${port}`), mcpServerUrl: new URL(endpoints[0]), strictResource: false });
serve(apiPort, async (token) => {
  const { resource } = (await demo?.verifyAccessToken(token).catch(() => undefined)) ?? {};
  return endpoints.includes(resource?.href) ? ofTokens.get(token) : undefined;
});
