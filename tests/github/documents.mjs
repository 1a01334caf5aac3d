// Makes two documents of GitHub's own, in the folder given: the whole one and a slice of the operations in calls.json.
// GitHub's document names no security scheme; both get one, so that the gateway has a token to attach.
// Started as `node documents.mjs FOLDER`.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCE = new URL("../node_modules/@octokit/openapi/generated/api.github.com.json", import.meta.url);
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

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
  return { ...whole, "x-webhooks": undefined, paths, components: reachable(paths) };
}

// The components that are referred to, directly or through others.
function reachable(paths) {
  const components = { securitySchemes: whole.components.securitySchemes };
  const open = [paths];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    const [, kind, name] = /^#\/components\/([^/]+)\/(.+)$/.exec(node.$ref ?? "") ?? [];
    if (name && !components[kind]?.[name]) {
      components[kind] ??= {};
      components[kind][name] = whole.components[kind][name];
      open.push(components[kind][name]);
    }
    open.push(...Object.values(node));
  }
  return components;
}

// Prism judges no body at all by a schema in which `nullable` stands without `type`; this says the same in other words.
function withoutLoneNullable(key, value) {
  if (value?.nullable !== true || value.type !== undefined) return value;
  const { nullable, ...rest } = value;
  return { anyOf: [rest, { enum: [null] }] };
}

writeFileSync(join(folder, "github.json"), JSON.stringify(whole));
writeFileSync(join(folder, "slice.json"), JSON.stringify(slice(), withoutLoneNullable));
