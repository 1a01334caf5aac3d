// A browser without a window: follows redirects, refreshes and forms from one URL, as a person would who agrees to everything.
// Started as `node browse.mjs URL`.
// It is as strict as a real one where that has broken sign-ins: cookies of a host and a path, `Sec-Fetch-Site`, `Origin`,
// and a policy's `form-action`, which holds for every hop after the form.
//
// PORTCULLIS_TEST_ACCOUNT is who signs in, PORTCULLIS_TEST_BROWSER_LOG where each step is written, without what a query holds.

import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { CookieJar } from "./cookies.mjs";
import { elements } from "./html.mjs";

const MOST_STEPS = 30;
const REDIRECTS = [301, 302, 303, 307, 308];

export class Browser {
  #jar = new CookieJar();
  #account;
  #log;

  constructor(account, log = () => {}) {
    this.#account = account;
    this.#log = log;
  }

  // Goes on until a page offers nothing more, and returns its URL and status.
  async open(url) {
    let step = { method: "GET", url: new URL(url) };
    for (let count = 0; count < MOST_STEPS; count += 1) {
      const answer = await this.#fetch(step);
      const next = REDIRECTS.includes(answer.status) ? this.#redirected(step, answer) : await this.#clicked(step, answer);
      if (!next) return { url: step.url, status: answer.status };
      step = next;
    }
    throw new Error(`no end after ${MOST_STEPS} steps`);
  }

  async #fetch({ method, url, body, from, site = siteOf(from?.url, url) }) {
    const headers = {
      accept: "text/html,application/xhtml+xml,*/*;q=0.8",
      "accept-language": "en",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
      "sec-fetch-site": site,
      "sec-fetch-user": "?1",
      "upgrade-insecure-requests": "1",
      "user-agent": "Mozilla/5.0 (stand-in of the tests)",
    };
    const cookies = this.#jar.header(url, { method, isForeign: site === "cross-site" });
    if (cookies) headers.cookie = cookies;
    if (method === "POST") {
      headers["content-type"] = "application/x-www-form-urlencoded";
      headers.origin = from.policy === "no-referrer" ? "null" : from.url.origin;
    }
    const answer = await patiently(() => fetch(url, { method, headers, body, redirect: "manual" }));
    this.#jar.keep(url, answer.headers.getSetCookie());
    this.#log(`${method} ${url.origin}${url.pathname} (${[...url.searchParams.keys()].join(" ")}) ${answer.status}`);
    return answer;
  }

  #redirected({ method, url, body, from, site, formAction }, answer) {
    const target = new URL(answer.headers.get("location"), url);
    if (formAction && !formAction(target)) throw new Error(`form-action of ${from.url.origin} forbids ${target.origin}`);
    const keeps = answer.status === 307 || answer.status === 308;
    const next = { method: "GET", url: target, from, site: farther(site ?? siteOf(from?.url, url), siteOf(url, target)), formAction };
    return keeps ? { ...next, method, body } : next;
  }

  // What a person would do with a page, if anything.
  async #clicked({ url }, answer) {
    if (!answer.headers.get("content-type")?.includes("html")) return undefined;
    const page = elements(await answer.text());
    const from = { url, policy: answer.headers.get("referrer-policy") };
    const refresh = page.find(({ name, attributes }) => name === "meta" && attributes["http-equiv"]?.toLowerCase() === "refresh");
    const [, target] = /url=(.+)$/i.exec(refresh?.attributes.content ?? "") ?? [];
    if (target) return { method: "GET", url: new URL(target, url), from };
    const form = choose(forms(page), this.#account);
    if (!form) {
      this.#log(`the page has no form for ${this.#account}`);
      return undefined;
    }
    const action = new URL(form.action || url, url);
    const formAction = formActionOf(answer.headers.get("content-security-policy"), url);
    if (formAction && !formAction(action)) throw new Error(`form-action of ${url.origin} forbids ${action.origin}`);
    if (form.method === "GET") {
      action.search = form.fields;
      return { method: "GET", url: action, from, formAction };
    }
    return { method: "POST", url: action, body: form.fields.toString(), from, formAction };
  }
}

// Programs open the browser before they listen; a person would reload the page.
async function patiently(request) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await request();
    } catch (error) {
      if (error.cause?.code !== "ECONNREFUSED" || tries === 50) throw error;
      await sleep(100);
    }
  }
}

const SITES = ["none", "same-origin", "same-site", "cross-site"];

function siteOf(from, to) {
  if (!from) return "none";
  if (from.origin === to.origin) return "same-origin";
  return from.protocol === to.protocol && from.hostname === to.hostname ? "same-site" : "cross-site";
}

// A redirect never makes a request look nearer than an earlier hop; what a person typed stays theirs.
function farther(one, other) {
  if (one === "none") return one;
  return SITES[Math.max(SITES.indexOf(one), SITES.indexOf(other))];
}

function formActionOf(policy, url) {
  const directive = policy?.split(";").find((part) => /^\s*form-action\s/i.test(part));
  if (!directive) return undefined;
  const sources = directive.trim().split(/\s+/).slice(1);
  return (target) => sources.some((source) => (source === "'self'" ? target.origin === url.origin : target.href.startsWith(source)));
}

// The forms of a page, each with what it sends when its first button is pressed.
function forms(page) {
  const found = [];
  for (const { name, attributes } of page) {
    if (name === "form") {
      const method = (attributes.method ?? "get").toUpperCase();
      found.push({ action: attributes.action, method, fields: new URLSearchParams(), buttons: [], typed: [], groups: new Set() });
    }
    const form = found.at(-1);
    if (!form) continue;
    const type = attributes.type?.toLowerCase();
    if (name === "button" || type === "submit") form.buttons.push(attributes);
    else if (name === "input" && ["text", "email", "password"].includes(type ?? "text")) form.typed.push(attributes);
    else if (name === "input" && attributes.name) {
      const isChoice = type === "radio" || type === "checkbox";
      // Of choices that must be made, the first.
      if (isChoice && !("checked" in attributes) && (!("required" in attributes) || form.groups.has(attributes.name))) continue;
      form.groups.add(attributes.name);
      form.fields.append(attributes.name, attributes.value ?? (isChoice ? "on" : ""));
    }
  }
  return found;
}

function choose(candidates, account) {
  const form =
    candidates.find(({ buttons }) => buttons.some(isApproval)) ??
    candidates.find(({ fields }) => [...fields.values()].some((value) => isOf(account, value))) ??
    candidates.find(({ typed }) => typed.some(({ type }) => type === "password")) ??
    candidates.find(({ typed }) => typed.length === 1 && typed[0].name === "login") ??
    candidates.find(({ fields, typed }) => fields.get("prompt") === "consent" && typed.length === 0);
  if (!form) return undefined;
  for (const { name, type } of form.typed) form.fields.append(name, type === "password" ? "any password" : account);
  const button = form.buttons.find(isApproval) ?? form.buttons[0];
  if (button?.name) form.fields.append(button.name, button.value ?? "");
  return form;
}

// The button of our own page, or of canaille's.
function isApproval({ name, value }) {
  return (name === "decision" && value === "approve") || (name === "answer" && value === "accept");
}

// emulate has one form for each account, named by login or by address.
function isOf(account, value) {
  return value === account || value.startsWith(`${account}@`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = process.env.PORTCULLIS_TEST_BROWSER_LOG;
  const log = (line) => file && appendFileSync(file, `${line}\n`);
  try {
    const { url, status } = await new Browser(process.env.PORTCULLIS_TEST_ACCOUNT, log).open(process.argv[2]);
    log(`ended at ${url.origin}${url.pathname} with ${status}`);
  } catch (error) {
    log(`failed: ${error.message} ${error.cause ?? ""}`);
    process.exitCode = 1;
  }
}
