// People in a real browser: every case of pages/cases.mjs, one line each.
// Started as `node pages.mjs CHROMIUM ISSUER [FOLDER]`; the folder is for photographs.

import { CASES } from "./pages/cases.mjs";
import { Looks } from "./pages/looks.mjs";
import { World } from "./pages/world.mjs";
import { runAll } from "./run.mjs";

const [chromium, issuer, folder] = process.argv.slice(2);
await runAll(CASES, await World.begin(chromium, issuer, new Looks(folder)));
