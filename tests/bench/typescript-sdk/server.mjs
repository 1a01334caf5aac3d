// Serves an OpenAPI document's operations by hand, as the SDK has them written: PORT DOCUMENT.
// BENCH_KEY holds the one bearer token that is good.

import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { createMcpExpressApp, requireBearerAuth } from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, OAuthError, OAuthErrorCode, createMcpHandler } from '@modelcontextprotocol/server';
import * as z from 'zod';

const [port, path] = process.argv.slice(2);
const key = Buffer.from(process.env.BENCH_KEY);
const document = JSON.parse(readFileSync(path, 'utf8'));
const origin = document.servers[0].url;

const inputSchema = z.object({ berth: z.string() });
const outputSchema = z.object({ name: z.string(), note: z.string() });

// The SDK asks for a fresh server for each request.
function server() {
    const server = new McpServer({ name: 'bench', version: '1' });
    for (const [template, { get }] of Object.entries(document.paths)) {
        const description = get.summary;
        server.registerTool(get.operationId, { description, inputSchema, outputSchema }, async ({ berth }) => {
            const response = await fetch(origin + template.replace('{berth}', encodeURIComponent(berth)));
            const text = await response.text();
            return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) };
        });
    }
    return server;
}

const verifier = {
    async verifyAccessToken(token) {
        const given = Buffer.from(token);
        if (given.length !== key.length || !timingSafeEqual(given, key)) {
            throw new OAuthError(OAuthErrorCode.InvalidToken, 'unknown token');
        }
        return { token, clientId: 'bench', scopes: [], expiresAt: Math.floor(Date.now() / 1000) + 3600 };
    },
};

const handler = toNodeHandler(createMcpHandler(server));
const app = createMcpExpressApp();
app.all('/mcp', requireBearerAuth({ verifier }), (request, response) => handler(request, response, request.body));
app.listen(Number(port), '127.0.0.1');
