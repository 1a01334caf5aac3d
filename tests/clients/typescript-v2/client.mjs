// npm @modelcontextprotocol/client: lists all tools and calls one. See ../README.md for arguments and output.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { listAndCall, order } from "../order.mjs";
import { authProvider, connect } from "../sign-in.mjs";

// A date pins the protocol revision; without one the client finds out what the server speaks.
function negotiation(revision) {
  if (!revision) return { versionNegotiation: { mode: "auto" } };
  if (revision >= "2026-07-28") return { versionNegotiation: { mode: { pin: revision } } };
  return { supportedProtocolVersions: [revision] };
}

const { url, headers, revision } = order();
const client = new Client({ name: "portcullis-tests", version: "1" }, negotiation(revision));
const provider = await authProvider();
const options = { requestInit: { headers }, authProvider: provider };
await connect(client, provider, () => new StreamableHTTPClientTransport(new URL(url), options));
await listAndCall("typescript-v2", "@modelcontextprotocol/client", client, client.getNegotiatedProtocolVersion());
