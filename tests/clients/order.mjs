// What every Node client is told and what it prints. See README.md.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// Each client has packages of its own, in its own folder.
const MANIFESTS = new URL("node_modules/", pathToFileURL(process.argv[1]));

export function order() {
  const [url, tool, args] = process.argv.slice(2);
  const bearer = process.env.PORTCULLIS_TEST_BEARER;
  return {
    url,
    tool,
    args: JSON.parse(args),
    bearer,
    headers: bearer ? { Authorization: `Bearer ${bearer}` } : {},
    revision: process.env.PORTCULLIS_TEST_REVISION,
  };
}

export async function listAndCall(client, packageName, connected, protocolVersion) {
  const { tool, args } = order();
  const tools = [];
  let cursor;
  do {
    const page = await connected.listTools(cursor ? { cursor } : undefined);
    tools.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor);
  const result = await connected.callTool({ name: tool, arguments: args });
  report({ client, version: versionOf(packageName), protocolVersion, tools, result });
  await connected.close();
}

export function report(line) {
  console.log(JSON.stringify(line));
}

export function versionOf(packageName) {
  return JSON.parse(readFileSync(new URL(`${packageName}/package.json`, MANIFESTS))).version;
}
