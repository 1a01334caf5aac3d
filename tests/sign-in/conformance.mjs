// The authorization mode of the MCP conformance suite, which takes a registered client and waits for somebody to open the URL it prints.
// Started as `node conformance.mjs SUITE ISSUER RESOURCE PORT`; prints one line, or everything that the suite said.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { Browser } from "./browse.mjs";
import { gatewayAt, register } from "./oauth.mjs";
import { READER } from "./people.mjs";

const REVISION = "2026-07-28";
// A scenario that is skipped counts as neither, so the numbers say that both ran.
const SCENARIOS = ["authorization-server-metadata-endpoint", "authorization-code-grant"];

const [suite, issuer, resource, port] = process.argv.slice(2);
const started = performance.now();
const clientId = await register(gatewayAt(issuer), `http://127.0.0.1:${port}/callback`);
const options = ["--url", issuer, "--client-id", clientId, "--resource", resource, "-p", port, "--spec-version", REVISION];
const program = spawn(process.execPath, [suite, "authorization", ...options], { stdio: ["ignore", "pipe", "inherit"] });

let printed = "";
const steps = [];
let opened;
program.stdout.on("data", (data) => {
  printed += data;
  const [url] = /^http\S+\/authorize\?\S+$/m.exec(printed) ?? [];
  if (!url || opened) return;
  opened = new Browser(READER.login, (step) => steps.push(step)).open(url).catch((error) => {
    steps.push(error.message);
    program.kill();
  });
});

const [status] = await once(program, "close");
await opened;
const passed = SCENARIOS.every((scenario) => new RegExp(`^✓ ${scenario}: [1-9]\\d* passed, 0 failed$`, "m").test(printed));
if (status !== 0 || !passed) {
  console.log(`${printed}\nthe browser says:\n${steps.join("\n")}`);
  process.exit(1);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${seconds.padStart(5)} s  conformance of ${REVISION}: ${SCENARIOS.join(" and ")} pass`);
