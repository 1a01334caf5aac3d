// Who gets our cookies, and what cookies are worth that others set.

import { ALLOW, expect } from "../pages/world.mjs";
import { follow, picture, post } from "./page.mjs";
import { APP, EVIL, NEIGHBOUR } from "./sites.mjs";

export const COOKIES = {
  async c_14_our_cookies_go_to_our_host_and_to_no_script(world) {
    const person = await world.person();
    await world.signIn(await person.page(), world.ask(APP));
    const cookies = await person.cookies(world.gateway);
    expect(cookies.length === 2, `there are ${cookies.length} cookies`);
    for (const { name, domain, path, secure, httpOnly, sameSite } of cookies) {
      expect(name.startsWith("__Host-portcullis_"), `a cookie is called ${name}`);
      expect(domain === "gw.test" && path === "/" && secure && httpOnly && sameSite === "Lax", `${name} goes to ${domain}${path}`);
    }
    const page = await person.page(world.ask(APP).url);
    expect((await page.evaluate(() => document.cookie)) === "", "scripts read our cookies");
    await expectSent(world, person, { from: EVIL, by: picture, isSent: false });
    await expectSent(world, person, { from: EVIL, by: post, isSent: false });
    await expectSent(world, person, { from: EVIL, by: follow, isSent: true });
    await person.page(world.sites.origin(NEIGHBOUR));
    for (const request of person.sentTo(world.sites.origin(NEIGHBOUR))) {
      const { cookie = "" } = await request.allHeaders();
      expect(!cookie.includes("portcullis"), "a host below ours gets our cookies");
    }
  },

  async c_03_c_13_c_14_a_cookie_that_a_neighbour_plants_is_none_of_ours(world) {
    const attacker = await world.attacker();
    const asked = world.ask(EVIL);
    const answer = await world.stopAt(attacker, `${world.gateway}/callback/`, asked);
    const [{ value }] = await attacker.cookies(world.gateway);
    const victim = await world.person();
    const page = await victim.page(world.sites.planting(NEIGHBOUR, planted(value)));
    await page.evaluate((cookies) => cookies.forEach((cookie) => (document.cookie = cookie)), planted(value));
    const names = (await victim.cookies(world.gateway)).map(({ name }) => name);
    expect(names.includes("portcullis_browser"), `nothing was planted but ${names}`);
    await follow(page, answer);
    await page.waitForSelector("main");
    expect(world.sites.answers(EVIL, asked).length === 0, "the attacker's browser and the victim's are one");
    expect(!(await victim.cookies(world.gateway)).some(({ name }) => name.includes("session")), "somebody is signed in");
    const own = world.ask(APP);
    await page.goto(own.url);
    await page.click(ALLOW);
    await page.waitForURL(`${own.redirectUri}?**`);
    expect(world.sites.answers(APP, own)[0].get("code"), "the victim cannot sign in any more");
  },
};

// The ways that have been found to set a cookie for a host from one below it.
function planted(value) {
  const cookies = ["__Host-portcullis_browser", "__host-portcullis_browser", "=__Host-portcullis_browser", "portcullis_browser"];
  return cookies.flatMap((name) => ["/", "/callback"].map((path) => `${name}=${value}; Domain=gw.test; Path=${path}; Secure`));
}

async function expectSent(world, person, { from, by, isSent }) {
  const page = await person.page(world.sites.origin(from));
  const { url } = world.ask(EVIL);
  const sent = page.waitForRequest(url);
  await by(page, url, {});
  const { cookie = "" } = await (await sent).allHeaders();
  expect(cookie.includes("__Host-portcullis_session") === isSent, `${isSent ? "no cookie goes" : "a cookie goes"} along from ${from}, by ${by.name}`);
}
