// People in a real browser: every case of pages/cases.mjs, one line each.
// Started as `node pages.mjs CHROMIUM ISSUER [FOLDER]`; the folder is for photographs.

import { stripVTControlCharacters } from "node:util";
import { CASES } from "./pages/cases.mjs";
import { Looks } from "./pages/looks.mjs";
import { World } from "./pages/world.mjs";

const [chromium, issuer, folder] = process.argv.slice(2);
const world = await World.begin(chromium, issuer, new Looks(folder));
for (const [name, run] of Object.entries(CASES)) {
  const started = performance.now();
  let failure = await run(world).catch((error) => stripVTControlCharacters(error.message));
  failure ??= world.violations.pop();
  for (const context of world.browser.contexts()) await context.close();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${seconds.padStart(5)} s  browser: ${name}${failure ? `: FAILED: ${failure}` : ""}`);
  if (failure) process.exitCode = 1;
}
await world.end();
