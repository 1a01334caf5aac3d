// An API that names the person whom a token stands for, and counts how often it was asked.

import { createServer } from "node:http";

// Serves `/me` on a port of loopback. `whoIs` returns the person of a token, or nobody where it is not good.
export function serve(port, whoIs) {
  let calls = 0;
  const answer = async (token) => {
    calls += 1;
    const person = token && (await whoIs(token));
    return person ? [200, person] : [401, { message: "the token is not one of the provider's for this API" }];
  };
  createServer(async (request, response) => {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    const routes = { "/me": () => answer(token), "/calls": () => [200, { calls }] };
    const [status, body] = (await routes[request.url]?.()) ?? [404, {}];
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  }).listen(Number(port), "127.0.0.1");
}

// Asks a provider about a token as RFC 7662 has it; the answer, if the token is good.
export async function introspect(endpoint, { client_id: id, client_secret: secret }, token) {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ token }),
  });
  const claims = await answer.json();
  return claims.active === true ? claims : undefined;
}
