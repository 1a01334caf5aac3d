// npm mcp-remote, with an SDK that speaks stdio to it: lists all tools and calls one. See ../README.md for arguments and output.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { listAndCall, order } from "../order.mjs";

const PROGRAM = fileURLToPath(new URL("node_modules/mcp-remote/dist/proxy.js", import.meta.url));

const { url, headers } = order();
const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}:${value}`]);
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [PROGRAM, url, "--allow-http", "--transport", "http-only", ...header],
  // A folder of its own, for it keeps tokens.
  env: { ...process.env, MCP_REMOTE_CONFIG_DIR: mkdtempSync(join(tmpdir(), "mcp-remote-")) },
});
const client = new Client({ name: "portcullis-tests", version: "1" });
await client.connect(transport);
await listAndCall("mcp-remote", "mcp-remote", client, client.getNegotiatedProtocolVersion());
