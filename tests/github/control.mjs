// Makes sure that a judge judges: sends each operation of calls.json that has a body one that no schema allows,
// and fails where it is let through. Prism passes what it cannot understand, without a word.
// Started as `node control.mjs SLICE PORT`; prints how many were refused.

import { readFileSync } from "node:fs";

const [slice, port] = process.argv.slice(2);
const { paths } = JSON.parse(readFileSync(slice));
const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));

function found(operation) {
  for (const [path, item] of Object.entries(paths))
    for (const [method, { operationId }] of Object.entries(item)) if (operationId === operation) return { method, path };
}

const bodies = new Map(calls.filter((call) => call.arguments.body).map((call) => [call.operation, call.arguments]));
for (const [operation, values] of bodies) {
  const { method, path } = found(operation);
  const target = path.replaceAll(/\{(.+?)\}/g, (_, name) => encodeURIComponent(values[name]));
  const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
    method: method.toUpperCase(),
    headers: { authorization: "Bearer control", "content-type": "application/json" },
    body: "7",
  });
  const text = await answer.text();
  if (!text.includes("violates the document")) {
    console.error(`${operation}: the body 7 was let through with ${answer.status}: ${text.slice(0, 200)}`);
    process.exitCode = 1;
  }
}
console.log(bodies.size);
