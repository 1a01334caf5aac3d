// npm @modelcontextprotocol/inspector --cli: lists all tools and calls one. See ../README.md for arguments and output.

import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { order, report, versionOf } from "../order.mjs";

const PACKAGE = "@modelcontextprotocol/inspector";
const PROGRAM = fileURLToPath(new URL(`node_modules/${PACKAGE}/clients/launcher/build/index.js`, import.meta.url));

const { url, tool, args, headers } = order();

// A home of its own: the inspector keeps a catalogue there, and tokens, so that nobody signs in twice.
const home = { HOME: mkdtempSync(join(tmpdir(), "inspector-")), MCP_INSPECTOR_SECRET_STORE: "file" };
const opener = { MCP_AUTO_OPEN_ENABLED: String(Boolean(process.env.PORTCULLIS_TEST_SIGN_IN)) };

async function inspect(...more) {
  const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  const env = { ...process.env, ...home, ...opener };
  const command = [PROGRAM, "--cli", url, "--transport", "http", ...header, ...more];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return JSON.parse(stdout);
}

const { tools } = await inspect("--method", "tools/list");
const pairs = Object.entries(args).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
const result = await inspect("--method", "tools/call", "--tool-name", tool, ...(pairs.length ? ["--tool-arg", ...pairs] : []));
report({
  client: "inspector",
  version: versionOf(PACKAGE),
  protocolVersion: null,
  tools: tools.map(({ name }) => name),
  result,
});
