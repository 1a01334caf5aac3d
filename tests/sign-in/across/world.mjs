// What every case works with: a browser that knows the sites by name and trusts one key, people, and clients that live in the browser.

import { createHash, X509Certificate } from "node:crypto";
import { chromium } from "playwright-core";
import { gatewayAt, register, request } from "../oauth.mjs";
import { ALLOW, signInAtOidc } from "../pages/world.mjs";
import { READER, WRITER } from "../people.mjs";
import { fetchOf } from "./page.mjs";
import { APP, EVIL } from "./sites.mjs";

// A page that has not come by then never comes.
const PATIENCE_MS = 10_000;
const NAMES = ["gw.test", "idp.test", "app.test", "evil.test", "evil.gw.test"];

export class World {
  // The cookies by which the provider knows each person again.
  #known = new Map();
  #clients = {};

  static async begin(executablePath, { gateway, provider, sites, certificate }) {
    const world = new World();
    Object.assign(world, { gateway, provider, sites });
    const rules = [...NAMES.map((name) => `MAP ${name} 127.0.0.1`), "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"];
    const args = [
      "--disable-background-networking",
      `--host-resolver-rules=${rules.join(", ")}`,
      `--ignore-certificate-errors-spki-list=${pin(certificate)}`,
    ];
    if (process.getuid() === 0) args.push("--no-sandbox");
    world.browser = await chromium.launch({ executablePath, args });
    for (const name of [APP, EVIL]) world.#clients[name] = await world.#register(name);
    for (const person of [READER, WRITER]) await world.#introduce(person);
    return world;
  }

  async end() {
    this.sites.close();
    await this.browser.close();
  }

  // A browser of somebody's own whom the provider knows already, so that it asks them nothing.
  async person(somebody = READER) {
    return new Person(await this.#context({ storageState: this.#known.get(somebody) }));
  }

  // The attacker, who has an account too.
  attacker() {
    return this.person(WRITER);
  }

  // A request of the client of a site.
  ask(name, clientId = this.#clients[name]) {
    return request(gatewayAt(this.gateway), clientId, this.sites.callback(name), this.endpoint);
  }

  get endpoint() {
    return `${this.gateway}/library/mcp`;
  }

  // Follows a request in a page up to its client, and returns the answer.
  async signIn(page, asked) {
    await page.goto(asked.url);
    await page.click(ALLOW);
    await page.waitForURL(`${asked.redirectUri}?**`);
    return new URL(page.url()).searchParams;
  }

  // Approves in somebody's browser, and returns the first address after that which begins with `prefix`, unopened.
  async stopAt(person, prefix, asked) {
    const page = await person.page(asked.url);
    const { url: held } = await person.hold(page, prefix);
    await page.click(ALLOW);
    const url = await held;
    await page.close();
    return url;
  }

  async #context(options) {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  }

  async #register(name) {
    const person = new Person(await this.#context());
    const page = await person.page(this.sites.origin(name));
    return register(gatewayAt(this.gateway), this.sites.callback(name), `Client of ${name}`, fetchOf(page));
  }

  async #introduce(somebody) {
    const context = await this.#context();
    const page = await context.newPage();
    await page.goto(this.ask(APP).url);
    await page.click(ALLOW);
    await signInAtOidc(page, somebody);
    await page.waitForURL(`${this.sites.callback(APP)}?**`);
    const { cookies } = await context.storageState();
    this.#known.set(somebody, { cookies: cookies.filter(({ domain }) => domain === new URL(this.provider).hostname), origins: [] });
  }
}

// A browser of somebody's own, and what it has sent.
class Person {
  #context;
  #requests = [];

  constructor(context) {
    this.#context = context;
    context.on("request", (request) => this.#requests.push(request));
  }

  async page(url) {
    const page = await this.#context.newPage();
    if (url) await page.goto(url);
    return page;
  }

  cookies(origin) {
    return this.#context.cookies(origin);
  }

  // Keeps a page from an address, where a redirect leads there too; `url` is what it was kept from.
  async hold(page, prefix) {
    const session = await this.#context.newCDPSession(page);
    const held = new Promise((resolve) => {
      session.on("Fetch.requestPaused", async ({ requestId, request }) => {
        await session.send("Fetch.failRequest", { requestId, errorReason: "Aborted" });
        resolve(request.url);
      });
    });
    await session.send("Fetch.enable", { patterns: [{ urlPattern: `${prefix}*` }] });
    return { url: held };
  }

  // What went to an origin.
  sentTo(origin) {
    return this.#requests.filter((request) => new URL(request.url()).origin === origin);
  }
}

// What Chromium calls a public key.
function pin(certificate) {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}
