// Where links of other sites lead to, and what answers are worth that began in another browser.

import { ALLOW, expect } from "../pages/world.mjs";
import { follow, frame, picture, send } from "./page.mjs";
import { APP, EVIL, NEIGHBOUR } from "./sites.mjs";

export const LINKS = {
  async c_01_a_link_of_another_site_leads_to_our_page_and_not_to_the_provider(world) {
    const person = await world.person();
    const asked = world.ask(EVIL);
    const page = await person.page(world.sites.origin(EVIL));
    await inTheBackground(page, asked.url);
    await follow(page, asked.url);
    await page.waitForSelector(ALLOW);
    const text = await page.textContent("main");
    expect(text.includes(`Client of ${EVIL}`) && text.includes(asked.redirectUri), `the page says ${text}`);
    expect(person.sentTo(world.provider).length === 0, "the provider was asked before the person");
    expect(world.sites.answers(EVIL, asked).length === 0, "the client was told something");
  },

  async c_02_what_an_attacker_approved_gives_no_code_for_the_victim(world) {
    for (const isInTheMiddle of [false, true]) {
      const asked = world.ask(EVIL);
      const link = await world.stopAt(await world.attacker(), `${world.provider}/`, asked);
      const victim = await world.person();
      if (isInTheMiddle) await victim.page(world.ask(APP).url);
      const page = await victim.page(world.sites.origin(EVIL));
      await expectDeadEnd(world, page, () => follow(page, link));
      expect(victim.sentTo(world.provider).length > 0, "the victim was not at the provider");
      expect(world.sites.answers(EVIL, asked).length === 0, "the attacker was told something");
      await expectNoSession(world, victim);
    }
  },

  async c_03_an_attackers_answer_of_the_provider_signs_the_victim_in_to_nothing(world) {
    const victim = await world.person();
    for (const isInTheMiddle of [false, true]) {
      const asked = world.ask(EVIL);
      const answer = await world.stopAt(await world.attacker(), `${world.gateway}/callback/`, asked);
      if (isInTheMiddle) await victim.page(world.ask(APP).url);
      const page = await victim.page(world.sites.origin(EVIL));
      await expectDeadEnd(world, page, () => follow(page, answer));
      expect(world.sites.answers(EVIL, asked).length === 0, "the attacker's client was told something");
      await expectNoSession(world, victim);
    }
    const answer = await world.signIn(await victim.page(), world.ask(APP));
    expect(answer.get("code"), "the victim's own sign-in has suffered");
  },

  async c_04_an_attackers_code_is_worth_nothing_in_the_victims_sign_in(world) {
    const callback = `${world.gateway}/callback/`;
    const injected = new URL(await world.stopAt(await world.attacker(), callback, world.ask(EVIL)));
    const victim = await world.person();
    const asked = world.ask(APP);
    const own = new URL(await world.stopAt(victim, callback, asked));
    own.searchParams.set("code", injected.searchParams.get("code"));
    const page = await victim.page();
    const answered = await page.goto(own.href);
    expect(answered.status() === 502, `it was answered with ${answered.status()}`);
    expect(world.sites.answers(APP, asked).length === 0, "the client was told something");
    await expectNoSession(world, victim);
  },

  async c_05_an_answer_that_another_site_makes_up_leads_nowhere(world) {
    const person = await world.person();
    await person.page(world.ask(APP).url);
    const before = await person.cookies(world.gateway);
    const page = await person.page(world.sites.origin(EVIL));
    for (const query of ["code=guess", "code=guess&state=guess", "error=access_denied&error_description=%3Ch1%3E"]) {
      const url = `${world.gateway}/callback/oidc?${query}`;
      await inTheBackground(page, url);
      await expectDeadEnd(world, page, () => follow(page, url));
      await page.goto(world.sites.origin(EVIL));
    }
    expect(JSON.stringify(await person.cookies(world.gateway)) === JSON.stringify(before), "the cookies are others");
  },

  async c_06_a_remembered_consent_counts_for_nobody_whom_another_site_sent(world) {
    const person = await world.person();
    const page = await person.page();
    await world.signIn(page, rememberedBy(world));
    const own = rememberedBy(world);
    await page.goto(own.url);
    expect(world.sites.answers(APP, own).length === 1, `whoever comes by themselves is asked again: ${page.url()}`);
    const before = person.sentTo(world.provider).length;
    for (const name of [EVIL, NEIGHBOUR, APP]) {
      const asked = rememberedBy(world);
      for (const url of [asked.url, world.sites.detour(name, asked.url)]) {
        await page.goto(world.sites.origin(name));
        await inTheBackground(page, url);
        await follow(page, url);
        await page.waitForSelector(ALLOW);
      }
      expect(person.sentTo(world.provider).length === before, `${name} had the consent repeated`);
      expect(world.sites.answers(APP, asked).length === 0, `${name} had a code sent`);
    }
  },

  // Where a person or a program opened the address, the browser tells nothing of a redirect on the way: the client alone can see it, by `iss`.
  async c_06_a_detour_of_an_address_that_the_person_opened_shows_in_iss_only(world) {
    const page = await (await world.person()).page();
    await world.signIn(page, rememberedBy(world));
    const asked = rememberedBy(world);
    await page.goto(world.sites.detour(EVIL, asked.url));
    const [answer] = world.sites.answers(APP, asked);
    expect(answer?.get("code"), "nothing was repeated: the documentation says otherwise");
    expect(answer.get("iss") === world.gateway, `the answer is from ${answer.get("iss")}`);
  },
};

// A request of the client whose consents the operator lets be remembered.
function rememberedBy(world) {
  return world.ask(APP, "app");
}

// All that a page can do with an address while its reader sees nothing of it.
async function inTheBackground(page, url) {
  await frame(page, url);
  await picture(page, url);
  await send(page, url, { mode: "no-cors", credentials: "include" });
}

// Sees that the browser ends at a page of ours that leads nowhere.
async function expectDeadEnd(world, page, go) {
  const answered = page.waitForResponse((response) => response.url().startsWith(`${world.gateway}/callback/`));
  await go();
  const status = (await answered).status();
  expect(status === 400, `the callback answered ${status}`);
  await page.waitForSelector("main");
  expect((await page.locator("main a, main form, meta[http-equiv]").count()) === 0, "the page leads somewhere");
}

async function expectNoSession(world, person) {
  const cookies = await person.cookies(world.gateway);
  expect(!cookies.some(({ name }) => name.includes("session")), "somebody is signed in");
}
