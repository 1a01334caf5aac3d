// Runs cases one after the other, each with browsers of its own, and prints a line for each.

import { stripVTControlCharacters } from "node:util";

// A case that has not ended by then never ends.
const PATIENCE_MS = 30_000;

export async function runAll(cases, world) {
  for (const [name, run] of Object.entries(cases)) {
    const started = performance.now();
    let failure = await within(run(world)).catch((error) => stripVTControlCharacters(error.message));
    failure ??= world.violations?.pop();
    for (const context of world.browser.contexts()) await context.close();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${seconds.padStart(5)} s  browser: ${name}${failure ? `: FAILED: ${failure}` : ""}`);
    if (failure) process.exitCode = 1;
  }
  await world.end();
}

async function within(running) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("it never ends")), PATIENCE_MS)));
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}
