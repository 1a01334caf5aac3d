// Stands between the gateway and Prism and turns every violation of the document by a request into an error,
// so that nobody has to look for Prism's header.
// Started as `node judge.mjs PORT UPSTREAM_PORT`.

import { createServer, request } from "node:http";

const [port, upstreamPort] = process.argv.slice(2).map(Number);

function violations(header) {
  return JSON.parse(header ?? "[]").filter(({ location }) => location?.[0] === "request");
}

createServer((incoming, outgoing) => {
  const { method, url: path, headers } = incoming;
  const forwarded = request({ host: "127.0.0.1", port: upstreamPort, method, path, headers }, (answer) => {
    const found = violations(answer.headers["sl-violations"]);
    if (found.length === 0) {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
      return;
    }
    answer.resume();
    outgoing.writeHead(400, { "Content-Type": "application/json" });
    outgoing.end(JSON.stringify({ message: `${method} ${path} violates the document: ${JSON.stringify(found)}` }));
  });
  incoming.pipe(forwarded);
}).listen(port, "127.0.0.1");
