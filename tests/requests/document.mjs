// Writes what Prism needs of a document to judge requests: its operations without their answers, which are most of it.
// Started as `node document.mjs DOCUMENT FILE`.

import { readFileSync, writeFileSync } from "node:fs";
import { METHODS, reachable, withoutLoneNullable } from "./slice.mjs";

const [source, target] = process.argv.slice(2);
const document = JSON.parse(readFileSync(source));
const NO_ANSWER = { default: { description: "Any answer." } };
// Documents that refer to what other operations answer keep their answers.
const refersToPaths = JSON.stringify(document.paths).includes('"#/paths/');

function resolved(part) {
  const keys = part.$ref?.startsWith("#/") ? part.$ref.slice(2).split("/") : undefined;
  return keys?.reduce((node, key) => node?.[decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~")], document) ?? part;
}

// "If `in` is "header" and the `name` field is one of these, the parameter definition SHALL be ignored."
const IGNORED_HEADERS = ["accept", "content-type", "authorization"];

// Prism ends altogether where a header of several values is not there, or may not be.
function isSafe(parameter) {
  const { in: place, name, schema } = resolved(parameter);
  const { type } = resolved(schema ?? {});
  if (place !== "header") return true;
  return !IGNORED_HEADERS.includes(name.toLowerCase()) && ![type].flat().some((it) => it === "array" || it === "object");
}

function asked(item) {
  const members = Object.entries(item).filter(([key]) => key !== "servers" && !key.startsWith("x-"));
  return Object.fromEntries(
    members.map(([key, value]) => {
      if (key === "parameters") return [key, value.filter(isSafe)];
      if (!METHODS.includes(key)) return [key, value];
      const { callbacks, responses, servers, ...operation } = value;
      if (operation.parameters) operation.parameters = operation.parameters.filter(isSafe);
      return [key, { ...operation, responses: refersToPaths ? responses : NO_ANSWER }];
    }),
  );
}

const paths = Object.fromEntries(
  Object.entries(document.paths)
    .filter(([path]) => !path.startsWith("x-"))
    .map(([path, item]) => [path, asked(item)]),
);
const { openapi, info, security } = document;
const whole = { openapi, info, security, paths, components: reachable(document, [paths]) };
writeFileSync(target, JSON.stringify(whole, withoutLoneNullable));
