// The sites around the gateway: a client's, an attacker's, and one of the attacker's under the gateway's own domain.

import { once } from "node:events";
import { createServer } from "node:https";

export const APP = "app.test";
export const EVIL = "evil.test";
// Browsers take it for the same site as the gateway, but for another origin.
export const NEIGHBOUR = "evil.gw.test";

export class Sites {
  #port;
  #server;
  #received = [];

  constructor(port, identity) {
    this.#port = port;
    this.#server = createServer(identity, (request, response) => this.#answer(request, response));
  }

  async listen() {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  origin(name) {
    return `https://${name}:${this.#port}`;
  }

  // Where the client of a site wants its answers.
  callback(name) {
    return `${this.origin(name)}/callback`;
  }

  // An address of a site that sends the browser on.
  detour(name, to) {
    return `${this.origin(name)}/detour?${new URLSearchParams({ to })}`;
  }

  // An address of a site that sets cookies.
  planting(name, cookies) {
    return `${this.origin(name)}/plant?${new URLSearchParams(cookies.map((cookie) => ["cookie", cookie]))}`;
  }

  // The answers that the client of a site has had to a request.
  answers(name, { state }) {
    const urls = this.#received.map((url) => new URL(url)).filter(({ hostname, pathname }) => hostname === name && pathname === "/callback");
    return urls.map(({ searchParams }) => searchParams).filter((answer) => answer.get("state") === state);
  }

  #answer({ headers, url }, response) {
    const asked = new URL(url, `https://${headers.host}`);
    this.#received.push(asked.href);
    if (asked.pathname === "/detour") return response.writeHead(302, { Location: asked.searchParams.get("to") }).end();
    if (asked.pathname === "/plant") response.setHeader("Set-Cookie", asked.searchParams.getAll("cookie"));
    response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>${asked.hostname}</title><h1>${asked.hostname}</h1>`);
  }
}
