// npm emulate as three providers, each with its API: GitHub, Google and Microsoft.
// Started as `node emulate.mjs GATEWAY GITHUB_PORT GOOGLE_PORT MICROSOFT_PORT`.

import { createEmulator } from "emulate";
import { CLIENT, PEOPLE } from "./people.mjs";

const [gateway, ...ports] = process.argv.slice(2);

function client(provider) {
  return [{ ...CLIENT, name: "Portcullis", redirect_uris: [`${gateway}/callback/${provider}`] }];
}

const people = PEOPLE.map(({ name, email }) => ({ name, email }));
const seeds = {
  github: { users: PEOPLE, oauth_apps: client("github") },
  google: { users: people, oauth_clients: client("google") },
  microsoft: { users: people, oauth_clients: client("entra") },
};

for (const [index, [service, seed]] of Object.entries(seeds).entries()) {
  const port = Number(ports[index]);
  await createEmulator({ service, port, baseUrl: `http://127.0.0.1:${port}`, seed: { [service]: seed } });
}
