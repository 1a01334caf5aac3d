// What every case works with: a browser that reaches loopback only, clients of the gateway, and people who know what to press.

import { chromium } from "playwright-core";
import { Callback, gatewayAt, register, request } from "../oauth.mjs";

// A page that has not come by then never comes.
const PATIENCE_MS = 10_000;
// Somewhere that answers go to but nobody is.
const ELSEWHERE = "https://client.example/callback";

export class World {
  static async begin(executablePath, issuer, looks) {
    const world = new World();
    const args = ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"];
    if (process.getuid() === 0) args.push("--no-sandbox");
    world.browser = await chromium.launch({ executablePath, args });
    world.issuer = issuer;
    world.server = gatewayAt(issuer);
    world.looks = looks;
    world.callback = await new Callback().listen();
    world.clientId = await register(world.server, world.callback.redirectUri);
    world.elsewhereId = await register(world.server, ELSEWHERE, "Assistant of Example");
    // What a page of ours tried and was not allowed to.
    world.violations = [];
    return world;
  }

  async end() {
    this.callback.close();
    await this.browser.close();
  }

  // A browser of somebody's own, without a cookie.
  async person(options) {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("console", (message) => {
      if (message.location().url.startsWith(this.issuer) && /content security policy/i.test(message.text())) this.violations.push(message.text());
    });
    return context;
  }

  // A request for a toolset, or for none, of the client that listens.
  ask(toolset) {
    return request(this.server, this.clientId, this.callback.redirectUri, toolset && this.endpoint(toolset));
  }

  // The same of a client that is a web site.
  askFromElsewhere(toolset) {
    return request(this.server, this.elsewhereId, ELSEWHERE, this.endpoint(toolset));
  }

  // Has the answer to a consent stand still: it goes by in no time, and without what moves it on it can be looked at.
  async hold(page) {
    await page.route(`${this.issuer}/consent`, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, "");
      await route.fulfill({ response, body });
    });
  }

  endpoint(toolset) {
    return `${this.issuer}/${toolset}/mcp`;
  }

  // What the client is told in answer to a request; to be called before somebody can have answered.
  told(asked) {
    return within(this.callback.answer(asked.state), "the client was told nothing");
  }
}

export const ALLOW = "button[name=decision][value=approve]";
export const DENY = "button[name=decision][value=deny]";

// Signs in at emulate's GitHub, which lists everybody.
export async function signInAtGitHub(page, { login }) {
  await page.click(`form:has(input[value="${login}"]) button`);
}

// Signs in at oidc-provider with any password, and agrees.
export async function signInAtOidc(page, { login }) {
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", "any password");
  await page.click("button[type=submit]");
  await page.click("form:has(input[name=prompt][value=consent]) button");
}

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

async function within(promise, message) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(message)), PATIENCE_MS)));
  // Whoever waits may have failed by then; that failure is the one to tell.
  late.catch(() => {});
  const outcome = Promise.race([promise, late]).finally(() => clearTimeout(timer));
  outcome.catch(() => {});
  return outcome;
}
