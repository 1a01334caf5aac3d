// What people do with the pages, one case each; a case throws where a page does something else than they may expect.

import { call, redeem } from "../oauth.mjs";
import { READER, STRANGER, WRITER } from "../people.mjs";
import { ALLOW, DENY, expect, signInAtGitHub, signInAtOidc } from "./world.mjs";

export const CASES = {
  "by keyboard, without scripts, to a call": async (world) => {
    const person = await world.person({ javaScriptEnabled: false });
    const page = await person.newPage();
    const asked = world.ask("github");
    const told = world.told(asked);
    await page.goto(asked.url);
    await world.looks.judge(page, "consent");
    await tabTo(page, ALLOW);
    await page.keyboard.press("Enter");
    await signInAtGitHub(page, READER);
    const answer = await told;
    expectAnswer(world, answer, asked);
    const token = await redeem(asked, answer.get("code"));
    const text = await call(world.endpoint("github"), token, "whoAmI");
    expect(JSON.parse(text).name === READER.name, `the tool was called as somebody else: ${text}`);
  },

  "denied, and the client is told": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.ask("github");
    const told = world.told(asked);
    await page.goto(asked.url);
    await page.click(DENY);
    expectRefusal(world, await told);
  },

  "denied to a web site, and a page has the way back": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.askFromElsewhere("github");
    await page.goto(asked.url);
    await world.looks.judge(page, "consent-web-site");
    await world.hold(page);
    await page.click(DENY);
    const way = page.locator(`a[href^="${asked.redirectUri}"]`);
    const back = new URL(await way.getAttribute("href"));
    expectRefusal(world, back.searchParams);
    expect(back.searchParams.get("state") === asked.state, "the way back bears another state");
    await world.looks.judge(page, "denied");
  },

  "cancelled at the provider": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.ask("oidc");
    const told = world.told(asked);
    await page.goto(asked.url);
    await page.click(ALLOW);
    await page.click("a[href$='/abort']");
    expectRefusal(world, await told);
  },

  "not on the list": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.ask("oidc");
    const told = world.told(asked);
    await page.goto(asked.url);
    await page.click(ALLOW);
    await signInAtOidc(page, STRANGER);
    await page.waitForURL(`${world.issuer}/callback/**`);
    await world.looks.judge(page, "not-on-the-list");
    await page.click(`a[href^="${asked.redirectUri}"]`);
    expectRefusal(world, await told);
  },

  "reloaded, then gone back to": async (world) => {
    const person = await world.person();
    const page = await person.newPage();
    const asked = world.ask("github");
    const told = world.told(asked);
    await page.goto(asked.url);
    const form = page.url();
    await page.reload();
    await page.reload();
    const kept = await person.newPage();
    await kept.goto(form);
    await page.click(ALLOW);
    await signInAtGitHub(page, READER);
    expectAnswer(world, await told, asked);
    // The form of the other tab is over, and says so.
    const again = kept.waitForResponse((response) => response.request().method() === "POST");
    await kept.click(ALLOW);
    expect((await again).status() >= 400, "a form worked twice");
    await world.looks.judge(kept, "over");
    const shown = await kept.goto(form);
    expect(shown.status() >= 400 && (await kept.locator(ALLOW).count()) === 0, "a page that is over still asks");
  },

  "an answer of the provider twice": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.ask("github");
    const told = world.told(asked);
    const answered = page.waitForRequest((request) => request.url().startsWith(`${world.issuer}/callback/`));
    await page.goto(asked.url);
    await page.click(ALLOW);
    await signInAtGitHub(page, READER);
    expectAnswer(world, await told, asked);
    const again = await page.goto((await answered).url());
    expect(again.status() >= 400, "a state worked twice");
  },

  "two tabs, the second first": async (world) => {
    const person = await world.person();
    const tabs = [];
    for (const somebody of [READER, WRITER]) {
      const page = await person.newPage();
      const asked = world.ask("github");
      await page.goto(asked.url);
      tabs.unshift({ page, asked, somebody, told: world.told(asked) });
    }
    for (const { page, asked, somebody, told } of tabs) {
      await page.click(ALLOW);
      await signInAtGitHub(page, somebody);
      const answer = await told;
      expectAnswer(world, answer, asked);
      const text = await call(world.endpoint("github"), await redeem(asked, answer.get("code")), "whoAmI");
      expect(JSON.parse(text).name === somebody.name, `a tab brought somebody else: ${text}`);
    }
  },

  "in another browser": async (world) => {
    const page = await (await world.person()).newPage();
    await page.goto(world.ask("github").url);
    const other = await (await world.person()).newPage();
    const shown = await other.goto(page.url());
    expect(shown.status() >= 400 && (await other.locator(ALLOW).count()) === 0, "a flow opens in another browser");
    await page.context().clearCookies();
    const sent = page.waitForResponse((response) => response.request().method() === "POST");
    await page.click(ALLOW);
    expect((await sent).status() >= 400, "a form works without its cookie");
  },

  "known already, and not you": async (world) => {
    const person = await world.person();
    const page = await person.newPage();
    const first = world.ask("github");
    const told = world.told(first);
    await page.goto(first.url);
    await page.click(ALLOW);
    await signInAtGitHub(page, READER);
    await told;
    const second = world.ask("github");
    await page.goto(second.url);
    await world.looks.judge(page, "consent-known");
    expect((await page.textContent("main")).includes(READER.login), "nothing says who is signed in");
    await page.click("form[action='/sign-out'] button");
    expect(!(await page.textContent("main")).includes(`as ${READER.login}`), "whoever signed out is still there");
  },

  "a request that names no toolset": async (world) => {
    const page = await (await world.person()).newPage();
    const asked = world.ask(undefined);
    const told = world.told(asked);
    await page.goto(asked.url);
    await world.looks.judge(page, "consent-choice");
    await page.check("input[name=toolset][value=github]");
    await page.click(ALLOW);
    await signInAtGitHub(page, READER);
    const answer = await told;
    expectAnswer(world, answer, asked);
    const text = await call(world.endpoint("github"), await redeem(asked, answer.get("code")), "whoAmI");
    expect(JSON.parse(text).name === READER.name, `the tool was called as somebody else: ${text}`);
  },

  "on the way to the provider": async (world) => {
    const page = await (await world.person()).newPage();
    await page.goto(world.ask("github").url);
    await world.hold(page);
    await page.click(ALLOW);
    await page.waitForSelector("main a");
    await world.looks.judge(page, "moving-on");
  },

  "a client that nobody knows": async (world) => {
    const page = await (await world.person()).newPage();
    const shown = await page.goto(world.ask("github").url.replace(/client_id=[^&]+/, "client_id=pc_client_unknown"));
    expect(shown.status() === 400, `it was answered with ${shown.status()}`);
    expect(page.url().startsWith(world.issuer), "the browser was sent somewhere");
    await world.looks.judge(page, "unknown-client");
  },

  "an endpoint, opened by a person": async (world) => {
    const page = await (await world.person()).newPage();
    await page.goto(world.endpoint("github"));
    expect(!(await page.textContent("main")).includes("API key"), "it asks for an API key, which opens nothing here");
    await world.looks.judge(page, "endpoint");
  },
};

// Presses the tabulator until something is in focus.
async function tabTo(page, selector) {
  for (let count = 0; count < 30; count += 1) {
    await page.keyboard.press("Tab");
    if ((await page.locator(`${selector}:focus`).count()) > 0) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

function expectAnswer(world, answer, asked) {
  expect(answer.get("state") === asked.state, "the answer bears another state");
  expect(answer.get("iss") === world.issuer, `the answer is from ${answer.get("iss")}`);
  expect(answer.get("code"), `there is no code, but ${[...answer.keys()].join(", ")}`);
}

function expectRefusal(world, answer) {
  expect(answer.get("error") === "access_denied", `the client is told ${answer.get("error")}`);
  expect(answer.get("iss") === world.issuer, `the answer is from ${answer.get("iss")}`);
  expect(!answer.has("code"), "there is a code all the same");
}
