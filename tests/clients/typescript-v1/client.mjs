// npm @modelcontextprotocol/sdk: lists all tools and calls one. See ../README.md for arguments and output.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { listAndCall, order } from "../order.mjs";
import { authProvider, connect } from "../sign-in.mjs";

const { url, headers } = order();
const client = new Client({ name: "portcullis-tests", version: "1" });
const provider = await authProvider();
const options = { requestInit: { headers }, authProvider: provider };
const transport = await connect(client, provider, () => new StreamableHTTPClientTransport(new URL(url), options));
await listAndCall("typescript-v1", "@modelcontextprotocol/sdk", client, transport.protocolVersion);
