// Who can sign in at the providers. Nobody signs in as the decoy: emulate takes a token that it does not know for the first user's.

export const DECOY = { login: "decoy", name: "Nobody", email: "decoy@readers.example" };
export const READER = { login: "reader", name: "A Reader", email: "reader@readers.example" };
export const WRITER = { login: "writer", name: "A Writer", email: "writer@readers.example" };
// Has an account, and is on nobody's list.
export const STRANGER = { login: "stranger", name: "A Stranger", email: "stranger@elsewhere.example" };

export const PEOPLE = [DECOY, READER, WRITER, STRANGER];

// What oidc-provider knows of whoever signs in under a login.
export function accountOf(id) {
  const person = PEOPLE.find(({ login }) => login === id);
  if (!person) return undefined;
  const { name, email } = person;
  return { accountId: id, claims: () => ({ sub: id, name, preferred_username: id, email, email_verified: true }) };
}

// Us, as all providers know us.
export const CLIENT = { client_id: "portcullis", client_secret: "secret-of-portcullis-at-the-provider" };
