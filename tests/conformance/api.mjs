// The API behind the gateway in the conformance suite: every path of fixture.yaml answers in its own media type.
// Started as `node api.mjs PORT`.

import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

// One red pixel.
const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==",
  "base64",
);
// A WAV file without a sample.
const AUDIO = Buffer.from("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=", "base64");
const DOCUMENT = Buffer.from("%PDF-1.4\n%%EOF\n");
// Long enough for the gateway to report progress several times.
const LONG_MS = 2500;

function part(type, bytes) {
  return Buffer.concat([Buffer.from(`--part\r\nContent-Type: ${type}\r\n\r\n`), bytes, Buffer.from("\r\n")]);
}

const ANSWERS = {
  "/simple-text": [200, "text/plain", "This is a simple text response for testing."],
  "/image": [200, "image/png", IMAGE],
  "/audio": [200, "audio/wav", AUDIO],
  "/embedded-resource": [200, "application/pdf", DOCUMENT],
  "/multiple-content-types": [
    200,
    "multipart/mixed; boundary=part",
    Buffer.concat([
      part("text/plain", Buffer.from("Multiple content types test:")),
      part("image/png", IMAGE),
      part("application/pdf", DOCUMENT),
      Buffer.from("--part--\r\n"),
    ]),
  ],
  "/error": [500, "application/json", '{"message":"This tool intentionally returns an error for testing"}'],
  "/progress": [200, "text/plain", "done"],
  "/logging": [200, "text/plain", "nothing was logged"],
  "/streaming": [200, "text/plain", "nothing was asked"],
  "/elicitation": [200, "text/plain", "nothing was asked"],
};

createServer(async (request, response) => {
  if (request.url === "/progress") await wait(LONG_MS);
  const [status, type, body] = ANSWERS[request.url] ?? [404, "text/plain", "no such path"];
  response.writeHead(status, { "Content-Type": type }).end(body);
}).listen(Number(process.argv[2]), "127.0.0.1");
