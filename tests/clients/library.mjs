// The API behind the gateway in the tests with real clients: answers what it was asked, so that the tests can judge it.
// Started as `node library.mjs PORT`; the key that callers must present is in LIBRARY_KEY.

import { createServer } from "node:http";

function answer(request) {
  // Nothing of the inbound leg may arrive here.
  if (request.headers.authorization) return [400, { message: "an Authorization header crossed over" }];
  if (request.headers["x-library-key"] !== process.env.LIBRARY_KEY) return [401, { message: "no or a wrong key" }];
  return [200, { target: request.url, books: [{ shelf: "a", title: "The Gateless Gate" }] }];
}

createServer((request, response) => {
  const [status, body] = answer(request);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}).listen(Number(process.argv[2]), "127.0.0.1");
