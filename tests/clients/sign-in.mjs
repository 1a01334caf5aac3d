// How a program on one of the SDKs signs somebody in: the browser is opened at the client's word, and answers on loopback.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

// What an SDK asks for all it must remember; nothing is kept.
class Memory {
  #opened;
  #answer;
  #state = randomUUID();
  #information;
  #tokens;
  #verifier;
  #discovery;

  constructor(listener) {
    this.redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;
    this.clientMetadata = {
      client_name: "Tests of Portcullis",
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: "none",
      // As it is without a word; but some servers take a client that does not say it for one that may do nothing.
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    };
    this.#answer = once(listener, "request").then(([request, response]) => {
      response.end("Go back to the program.");
      listener.close();
      return new URL(request.url, this.redirectUrl).searchParams;
    });
  }

  state = () => this.#state;
  clientInformation = () => this.#information;
  saveClientInformation = (information) => (this.#information = information);
  tokens = () => this.#tokens;
  saveTokens = (tokens) => (this.#tokens = tokens);
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier) => (this.#verifier = verifier);
  discoveryState = () => this.#discovery;
  saveDiscoveryState = (state) => (this.#discovery = state);
  redirectToAuthorization = (url) => (this.#opened = spawn("xdg-open", [url.href], { stdio: "ignore" }));

  get isOpened() {
    return this.#opened !== undefined;
  }

  async answer() {
    const answer = await this.#answer;
    if (answer.get("state") !== this.#state) throw new Error("the answer bears another state");
    if (answer.has("error")) throw new Error(`refused: ${answer.get("error")}: ${answer.get("error_description")}`);
    return answer;
  }
}

// What the SDK's transports take as `authProvider`; none where nobody is to sign in.
export async function authProvider() {
  if (!process.env.PORTCULLIS_TEST_SIGN_IN) return undefined;
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  return new Memory(listener);
}

// Connects by a transport, and by a second one after the browser has answered.
export async function connect(client, provider, makeTransport) {
  const transport = makeTransport();
  try {
    await client.connect(transport);
    return transport;
  } catch (error) {
    if (!provider?.isOpened) throw error;
  }
  const answer = await provider.answer();
  await transport.finishAuth(answer.get("code"), answer.get("iss") ?? undefined);
  const second = makeTransport();
  await client.connect(second);
  return second;
}
