// Other sites in a real browser, against the gateway over TLS: every case of across/, one line each.
// Started as `node across.mjs CHROMIUM GATEWAY PROVIDER SITES_PORT CERTIFICATE KEY`; the sites take the same certificate as the others.

import { readFileSync } from "node:fs";
import { COOKIES } from "./across/cookies.mjs";
import { FORMS } from "./across/forms.mjs";
import { LINKS } from "./across/links.mjs";
import { Sites } from "./across/sites.mjs";
import { World } from "./across/world.mjs";
import { runAll } from "./run.mjs";

const [chromium, gateway, provider, port, ...files] = process.argv.slice(2);
const [cert, key] = files.map((file) => readFileSync(file));
const sites = await new Sites(Number(port), { cert, key }).listen();
const world = await World.begin(chromium, { gateway, provider, sites, certificate: cert });
await runAll({ ...LINKS, ...FORMS, ...COOKIES }, world);
