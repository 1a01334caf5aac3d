// Calls the tools of a scenario one after another; prints one line of JSON with what was not as expected.
// Started as `node scenario.mjs URL SCENARIO.json`.
//
// A call says in `expect` what stands at a JSON Pointer of its answer (`/length` of a list is how many it has),
// keeps values of it for the calls after it in `keep`, and gets them by `$NAME`, alone or within a text as `${NAME}`.
// With `error` it has to fail, with that in the message.

import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url, file] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(file));
const kept = {};

function known(name) {
  if (!(name in kept)) throw new Error(`no call has kept \`${name}\``);
  return kept[name];
}

function filled(value) {
  if (typeof value === "string") {
    if (/^\$\w+$/.test(value)) return known(value.slice(1));
    return value.replaceAll(/\$\{(\w+)\}/g, (_, name) => known(name));
  }
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)]));
}

function at(value, pointer) {
  const steps = pointer.split("/").slice(1);
  return steps.reduce((inner, step) => inner?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], value);
}

function faults({ expect = {}, keep = {}, error }, { isError, content, structuredContent }) {
  const text = content[0]?.text ?? "";
  if (error) return isError && text.includes(filled(error)) ? [] : [`\`${error}\` was expected, it said: ${text}`];
  if (isError) return [text];
  const answer = structuredContent ?? JSON.parse(text);
  for (const [name, pointer] of Object.entries(keep)) kept[name] = at(answer, pointer);
  return Object.entries(expect)
    .map(([pointer, wanted]) => [pointer, JSON.stringify(filled(wanted)), JSON.stringify(at(answer, pointer))])
    .filter(([, wanted, found]) => wanted !== found)
    .map(([pointer, wanted, found]) => `${pointer} is ${found} and not ${wanted}, in ${text.slice(0, 1000)}`);
}

// The schemas of answers are others' business; compiling those of all tools takes the client seconds.
const unjudged = { getValidator: () => (value) => ({ valid: true, data: value }) };
const client = new Client(
  { name: "portcullis-tests", version: "1" },
  { versionNegotiation: { mode: "auto" }, jsonSchemaValidator: unjudged },
);
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const results = [];
for (const call of calls) {
  const answer = await client.callTool({ name: call.tool, arguments: filled(call.arguments) });
  results.push({ tool: call.tool, faults: faults(call, answer) });
  // What comes after builds on it.
  if (results.at(-1).faults.length > 0) break;
}
console.log(JSON.stringify({ calls: calls.length, results }));
await client.close();
