// Makes two documents of GitHub's own, in the folder given: the whole one and a slice of the operations in calls.json.
// GitHub's document names no security scheme; both get one, so that the gateway has a token to attach.
// Started as `node documents.mjs FOLDER`.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { METHODS, reachable, withoutLoneNullable } from "../requests/slice.mjs";

const SOURCE = new URL("../node_modules/@octokit/openapi/generated/api.github.com.json", import.meta.url);

const folder = process.argv[2];
const whole = JSON.parse(readFileSync(SOURCE));
const wanted = new Set(JSON.parse(readFileSync(new URL("calls.json", import.meta.url))).map(({ operation }) => operation));

whole.components.securitySchemes = { token: { type: "http", scheme: "bearer" } };
whole.security = [{ token: [] }];

function slice() {
  const paths = {};
  for (const [path, item] of Object.entries(whole.paths)) {
    const kept = Object.entries(item).filter(([key, value]) => !METHODS.includes(key) || wanted.has(value.operationId));
    if (kept.some(([key]) => METHODS.includes(key))) paths[path] = Object.fromEntries(kept);
  }
  return { ...whole, "x-webhooks": undefined, paths, components: reachable(whole, paths) };
}

writeFileSync(join(folder, "github.json"), JSON.stringify(whole));
writeFileSync(join(folder, "slice.json"), JSON.stringify(slice(), withoutLoneNullable));
