// Lists all tools of the endpoint and calls those of calls.json; prints one line of JSON.
// Started as `node calls.mjs URL [--stateful]`; with the flag, only the calls that a stateful API answers sensibly.

import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv";

const [url, flag] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));

// At the first call the client compiles the output schemas of all tools, which takes it 10 s;
// it does so in the run with all calls, and in the other for the tools that are called.
const ajv = new AjvJsonSchemaValidator();
const onDemand = {
  getValidator(schema) {
    let validate;
    return (value) => (validate ??= ajv.getValidator(schema))(value);
  },
};

const client = new Client(
  { name: "portcullis-tests", version: "1" },
  { versionNegotiation: { mode: "auto" }, ...(flag === "--stateful" && { jsonSchemaValidator: onDemand }) },
);
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
