// The TypeScript SDK serving the bench's first operation, for `cargo xtask bench --peers`.
// Arguments: the port, the upstream's URL, the bearer that callers must present.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, upstream, bearer, packages] = process.argv.slice(2);
const resolve = createRequire(pathToFileURL(`${packages}/package.json`)).resolve;
const load = (name) => import(pathToFileURL(resolve(name)));
const { McpServer } = await load("@modelcontextprotocol/sdk/server/mcp.js");
const { StreamableHTTPServerTransport } = await load("@modelcontextprotocol/sdk/server/streamableHttp.js");
const { z } = await load("zod");

const describe = () => {
  const server = new McpServer({ name: "bench", version: "1" });
  server.registerTool(
    "getBerth0",
    { description: "Show one berth", inputSchema: { berth: z.string() } },
    async ({ berth }) => {
      const answer = await fetch(`${upstream}/berths/${encodeURIComponent(berth)}`);
      return { content: [{ type: "text", text: await answer.text() }] };
    },
  );
  return server;
};

createServer(async (request, response) => {
  if (request.headers.authorization !== `Bearer ${bearer}`) {
    response.writeHead(401).end();
    return;
  }
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  await describe().connect(transport);
  await transport.handleRequest(request, response);
}).listen(Number(port), "127.0.0.1");
