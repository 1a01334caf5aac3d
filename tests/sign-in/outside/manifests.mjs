// Writes the OAuth manifest of each provider: the metadata that it serves, and what it does not say there.
// Started as `node manifests.mjs FOLDER NAME=ISSUER …`.

import { writeFile } from "node:fs/promises";

const [folder, ...providers] = process.argv.slice(2);

// The SDK's demo has the endpoint, and tells nobody but the program that starts it.
const UNTOLD = { "sdk-demo": (issuer) => ({ introspection_endpoint: new URL("/introspect", issuer).href }) };

async function write(name, issuer) {
  const url = new URL("/.well-known/oauth-authorization-server", issuer);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const manifest = { ...(await answer.json()), ...UNTOLD[name]?.(issuer) };
  if (manifest.issuer !== issuer) throw new Error(`${name} calls itself ${manifest.issuer} and not ${issuer}`);
  await writeFile(`${folder}/${name}.json`, JSON.stringify(manifest));
}

await Promise.all(providers.map((provider) => write(...provider.split("="))));
