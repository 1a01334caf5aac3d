// Lists all tools of the endpoint and calls those of calls.json; prints one line of JSON.
// Started as `node calls.mjs URL [--stateful]`; with the flag, only the calls that a stateful API answers sensibly.

import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url, flag] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));

const client = new Client({ name: "portcullis-tests", version: "1" }, { versionNegotiation: { mode: "auto" } });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const { tools } = await client.listTools();
const results = [];
for (const call of calls.filter(({ stateful }) => stateful || flag !== "--stateful")) {
  const name = call.operation.replace("/", "_");
  const { isError, content } = await client.callTool({ name, arguments: call.arguments });
  results.push({ operation: call.operation, isError: isError === true, text: content[0]?.text ?? "" });
}
console.log(JSON.stringify({ tools: tools.length, results }));
await client.close();
