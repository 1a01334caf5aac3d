// Parts of OpenAPI documents for Prism, with nothing changed that a request is judged by.

export const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

// The components that are referred to, directly or through others, and the security schemes.
export function reachable(document, parts) {
  const components = { securitySchemes: document.components?.securitySchemes };
  const open = [parts];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    const [, kind, escaped] = /^#\/components\/([^/]+)\/([^/]+)/.exec(node.$ref ?? "") ?? [];
    const name = escaped && decodeURIComponent(escaped).replaceAll("~1", "/").replaceAll("~0", "~");
    const component = name && document.components?.[kind]?.[name];
    if (component !== undefined && component !== "" && !components[kind]?.[name]) {
      components[kind] ??= {};
      components[kind][name] = component;
      open.push(component);
    }
    open.push(...Object.values(node));
  }
  return components;
}

// Prism judges no body at all by a schema in which `nullable` stands without `type`; this says the same in other words.
export function withoutLoneNullable(key, value) {
  if (value?.nullable !== true || value.type !== undefined) return value;
  const { nullable, ...rest } = value;
  return { anyOf: [rest, { enum: [null] }] };
}
