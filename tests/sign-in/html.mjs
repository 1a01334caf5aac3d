// Reads the start tags of a page with their attributes; enough for forms, and for nothing else.

const TAG = /<!--[\s\S]*?-->|<(style|script)\b[\s\S]*?<\/\1\s*>|<([a-z][a-z0-9]*)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?|\s*\/)*)\s*>/gi;
const ATTRIBUTE = /([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export function elements(html) {
  return [...html.matchAll(TAG)].filter(([, , name]) => name).map(([, , name, attributes]) => ({ name: name.toLowerCase(), attributes: read(attributes) }));
}

function read(text) {
  const pairs = [...text.matchAll(ATTRIBUTE)].map(([, name, double, single, bare]) => [name.toLowerCase(), decoded(double ?? single ?? bare ?? "")]);
  return Object.fromEntries(pairs);
}

function decoded(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi, (whole, hexadecimal, decimal, name) => {
    if (name) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hexadecimal ? parseInt(hexadecimal, 16) : Number(decimal));
  });
}
