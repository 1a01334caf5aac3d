// What pages of other sites can send, show and read: forms, frames, scripts and referrers.

import { call, redeem } from "../oauth.mjs";
import { ALLOW, DENY, expect } from "../pages/world.mjs";
import { fetchOf, follow, frame, picture, post, send } from "./page.mjs";
import { APP, EVIL, NEIGHBOUR } from "./sites.mjs";

const FORM = "application/x-www-form-urlencoded";

export const FORMS = {
  async c_07_c_09_a_form_of_another_site_decides_nothing(world) {
    const person = await world.person();
    await world.signIn(await person.page(), world.ask(APP));
    const asked = world.ask(APP);
    const page = await person.page(asked.url);
    const value = (name) => page.locator(`form[action="/consent"] input[name=${name}]`).getAttribute("value");
    // More than any other site can know.
    const fields = { flow: await value("flow"), csrf: await value("csrf"), decision: "approve" };
    await expectFormsRefused(world, person, fields);
    await page.reload();
    expect((await page.textContent("main")).includes("Signed in here"), "the session has ended");
    expect(world.sites.answers(APP, asked).length === 0, "the client was told something");
    await page.click(ALLOW);
    await page.waitForURL(`${asked.redirectUri}?**`);
    await expectFormsRefused(world, person, fields);
    expect(world.sites.answers(APP, asked).length === 1, "the client was told twice");
  },

  async c_08_sign_ins_that_another_site_begins_do_not_disturb_ours(world) {
    const person = await world.person();
    const asked = world.ask(APP);
    const page = await person.page(asked.url);
    for (const name of [EVIL, NEIGHBOUR]) {
      const { url } = world.ask(EVIL);
      const site = await person.page(world.sites.origin(name));
      for (const begin of [frame, picture, picture, picture]) await begin(site, url);
      await send(site, url, { mode: "no-cors", credentials: "include" });
      await follow(site, url);
      await site.waitForSelector(ALLOW);
    }
    await page.click(ALLOW);
    await page.waitForURL(`${asked.redirectUri}?**`);
    expect(world.sites.answers(APP, asked)[0].get("code"), "there is no code");
  },

  async c_10_no_page_of_ours_shows_in_a_frame_of_another_site(world) {
    const person = await world.person();
    const consent = (await person.page(world.ask(APP).url)).url();
    for (const name of [EVIL, NEIGHBOUR]) {
      const page = await person.page(world.sites.origin(name));
      const control = await frame(page, world.sites.origin(APP));
      expect((await control.textContent("h1")) === APP, "nothing at all shows in a frame");
      for (const url of [consent, world.ask(APP).url, `${world.gateway}/callback/oidc`, world.endpoint, `${world.gateway}/`]) {
        const shown = await frame(page, url);
        expect((await shown.locator("main").count()) === 0, `${url} shows in a frame of ${name}`);
        expect(shown.url().startsWith("chrome-error:"), `a frame of ${name} is at ${shown.url()}`);
      }
    }
  },

  async c_22_nobody_learns_from_us_where_the_browser_was(world) {
    const person = await world.person();
    await world.signIn(await person.page(), world.ask(EVIL));
    const denying = await person.page(world.ask(EVIL).url);
    await denying.click(DENY);
    await denying.waitForURL(`${world.sites.callback(EVIL)}?**`);
    const broken = await person.page(world.ask(EVIL).url.replace("=S256", "=plain"));
    await broken.click("main a");
    await broken.waitForURL(`${world.sites.callback(EVIL)}?**`);
    const away = [...person.sentTo(world.provider), ...person.sentTo(world.sites.origin(EVIL))];
    expect(away.length >= 4, "the browser was nowhere else");
    for (const request of away) {
      const { referer } = await request.allHeaders();
      expect(!referer?.startsWith(world.gateway), `${request.url()} is told of ${referer}`);
    }
  },

  async h_14_a_script_of_another_site_reads_what_clients_need_and_no_page(world) {
    const person = await world.person();
    await world.signIn(await person.page(), world.ask(APP));
    const consent = (await person.page(world.ask(APP).url)).url();
    for (const name of [EVIL, NEIGHBOUR, APP]) {
      const page = await person.page(world.sites.origin(name));
      const pages = [world.ask(APP).url, consent, `${world.gateway}/callback/oidc?state=guess`, `${world.gateway}/sign-out`];
      for (const url of name === APP ? pages : [...pages, world.endpoint]) {
        for (const method of ["GET", "POST"]) {
          for (const credentials of ["omit", "include"]) {
            const read = await send(page, url, { method, credentials });
            expect(read === undefined, `a script of ${name} reads ${method} ${url}`);
          }
        }
      }
      const metadata = `${world.gateway}/.well-known/oauth-authorization-server`;
      expect((await send(page, metadata))?.status === 200, `a script of ${name} does not read the metadata`);
      const token = { method: "POST", headers: { "content-type": FORM }, body: "grant_type=refresh_token" };
      expect((await send(page, `${world.gateway}/token`, token))?.status >= 400, `a script of ${name} is not told why there is no token`);
      const withCookies = await send(page, `${world.gateway}/token`, { ...token, credentials: "include" });
      expect(withCookies === undefined, `a script of ${name} reads what comes of cookies`);
    }
  },

  async h_14_a_client_in_a_browser_redeems_its_code_and_calls_a_tool(world) {
    const page = await (await world.person()).page();
    const asked = world.ask(APP);
    const answer = await world.signIn(page, asked);
    expect(answer.get("iss") === world.gateway, `the answer is from ${answer.get("iss")}`);
    const token = await redeem(asked, answer.get("code"), fetchOf(page));
    const text = await call(world.endpoint, token, "findBooks", { shelf: "a" }, fetchOf(page));
    expect(JSON.parse(text).target === "/shelves/a/books", `the API answered ${text}`);
    const elsewhere = await (await world.person()).page(world.sites.origin(EVIL));
    const stolen = await send(elsewhere, world.endpoint, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    expect(stolen === undefined, "a script of another site calls with the token");
  },
};

async function expectFormsRefused(world, person, fields) {
  const body = new URLSearchParams(fields).toString();
  for (const name of [EVIL, NEIGHBOUR]) {
    const site = await person.page();
    for (const url of [`${world.gateway}/consent`, `${world.gateway}/sign-out`]) {
      for (const referrerPolicy of ["", "no-referrer"]) {
        await site.goto(world.sites.origin(name));
        await send(site, url, { method: "POST", mode: "no-cors", credentials: "include", headers: { "content-type": FORM }, referrerPolicy, body });
        const answered = await post(site, url, fields, referrerPolicy);
        expect(answered.status() >= 400, `a form of ${name} for ${url} was answered with ${answered.status()}`);
      }
    }
  }
}
