// A client by hand, of the gateway or of another authorization server: registers, asks, takes the answer on loopback, redeems it and calls a tool.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

// Listens on loopback for the answers to a client's requests.
export class Callback {
  #server = createServer();
  #waiting = new Map();

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.redirectUri = `http://127.0.0.1:${this.#server.address().port}/callback`;
    this.#server.on("request", (request, response) => {
      const answer = new URL(request.url, this.redirectUri).searchParams;
      response.setHeader("Content-Type", "text/html").end("<!doctype html><title>Back</title><h1>Back at the program</h1>");
      this.#waiting.get(answer.get("state"))?.(answer);
    });
    return this;
  }

  // The answer to the request of one state.
  answer(state) {
    return new Promise((resolve) => this.#waiting.set(state, resolve));
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

// What is used of the gateway's metadata.
export function gatewayAt(origin) {
  const [authorization_endpoint, token_endpoint, registration_endpoint] = ["authorize", "token", "register"].map((path) => `${origin}/${path}`);
  return { authorization_endpoint, token_endpoint, registration_endpoint };
}

// Registers a public client at a server of some metadata, and returns its id. As all that follow, it may be told what to fetch by.
export async function register(server, redirectUri, name = "Tests of Portcullis", by = fetch) {
  const body = { client_name: name, redirect_uris: [redirectUri], token_endpoint_auth_method: "none" };
  const answer = await post(by, server.registration_endpoint, "application/json", JSON.stringify(body));
  return (await json(answer, 201)).client_id;
}

// An authorization request, with what belongs to it.
export function request(server, clientId, redirectUri, resource, scope) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...(resource && { resource }),
    ...(scope && { scope }),
  });
  return { server, clientId, redirectUri, resource, verifier, state, url: url.href };
}

// Redeems a code for an access token.
export async function redeem({ server, clientId, redirectUri, resource, verifier }, code, by = fetch) {
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    client_id: clientId,
    code_verifier: verifier,
    ...(resource && { resource }),
  });
  const answer = await post(by, server.token_endpoint, "application/x-www-form-urlencoded", body.toString());
  return (await json(answer, 200)).access_token;
}

// Calls a tool and returns the text of the result.
export async function call(endpoint, token, name, args = {}, by = fetch) {
  const { result, error } = await json(await ask(endpoint, token, name, args, by), 200);
  if (error || result.isError) throw new Error(`the call failed: ${JSON.stringify(error ?? result)}`);
  return result.content[0].text;
}

// Calls a tool and returns whatever is answered.
export function ask(endpoint, token, name, args = {}, by = fetch) {
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
  return post(by, endpoint, "application/json", JSON.stringify(body), {
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${token}`,
    "mcp-protocol-version": "2025-06-18",
  });
}

function post(by, url, contentType, body, headers = {}) {
  return by(url, { method: "POST", headers: { "content-type": contentType, ...headers }, body });
}

async function json(answer, status) {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}
