// An authorization server in memory, and the API that its tokens open: PORT.
// Whoever comes is signed in and has agreed at once, without a page and without another provider.

import { Provider } from 'oidc-provider';

const [port] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const resource = `${issuer}/mcp`;
const scope = 'read';
const answer = { name: 'A1', note: 'x'.repeat(1000) };

const provider = new Provider(issuer, {
    cookies: { keys: ['bench'] },
    features: {
        devInteractions: { enabled: false },
        registration: { enabled: true },
        resourceIndicators: {
            enabled: true,
            getResourceServerInfo: () => ({ scope, accessTokenFormat: 'opaque', accessTokenTTL: 3600 }),
            useGrantedResource: () => true,
        },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 3600, AuthorizationCode: 60, RefreshToken: 3600 },
});

// Signs in a person of their own and has them agree, in one step.
async function approve(context) {
    const { params } = await provider.interactionDetails(context.req, context.res);
    const accountId = crypto.randomUUID();
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addResourceScope(resource, params.scope);
    const result = { login: { accountId }, consent: { grantId: await grant.save() } };
    context.redirect(await provider.interactionResult(context.req, context.res, result));
}

// Looks the token up, as a server of its own resource does.
async function call(context) {
    const [, bearer] = context.get('authorization').split(' ');
    const token = await provider.AccessToken.find(bearer);
    context.status = token?.aud === resource ? 200 : 401;
    context.body = token?.aud === resource ? answer : { error: 'invalid_token' };
}

provider.use(async (context, next) => {
    if (context.path.startsWith('/interaction/')) {
        await approve(context);
    } else if (context.path === '/mcp') {
        await call(context);
    } else {
        await next();
    }
});
provider.listen(Number(port), '127.0.0.1');
