// A real OpenID provider for development and tests: "Halden SSO", with people from a file and one button to sign in as each.
//
// Settings, all environment variables:
//   PORT                       where to listen on 127.0.0.1 (default 3001)
//   ISSUER                     its public name (default http://127.0.0.1:$PORT)
//   REDIRECT_URIS              where the client may be sent back to, separated by spaces
//   POST_LOGOUT_REDIRECT_URIS  the same after signing out (default: the origins of REDIRECT_URIS)
//   CLIENT_ID, CLIENT_SECRET   the one confidential client (default countersign, countersign-dev-secret)
//   PEOPLE                     the people file (default people.json beside this file)
//
// The people file is read again at each sign-in, so a test may add somebody while this runs. A person without `groups` gets no
// such claim at all; `claims` in the file adds or replaces any claim, to play a provider that truncates or leaves out.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const env = process.env;
const port = Number(env.PORT ?? 3001);
const issuer = env.ISSUER ?? `http://127.0.0.1:${port}`;
const redirectUris = words(env.REDIRECT_URIS ?? 'http://127.0.0.1:3000/auth/callback');
const postLogoutRedirectUris = words(env.POST_LOGOUT_REDIRECT_URIS ?? origins(redirectUris).join(' '));
const peopleFile = env.PEOPLE ?? new URL('people.json', import.meta.url);

const provider = new Provider(issuer, {
  clients: [{
    client_id: env.CLIENT_ID ?? 'countersign',
    client_secret: env.CLIENT_SECRET ?? 'countersign-dev-secret',
    client_name: 'Countersign',
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  pkce: { required: () => true },
  // Claims travel in the ID token as well as from /me: providers do either, and a client must not care.
  conformIdTokenClaims: false,
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username', 'groups', 'hasgroups'],
    email: ['email', 'email_verified'],
    groups: ['groups', 'hasgroups'],
  },
  findAccount: async (_ctx, sub) => {
    const person = await find(sub);
    return person && { accountId: sub, claims: () => claimsOf(person) };
  },
  // Nobody is asked for consent: the company that runs this provider owns the one client too.
  loadExistingGrant: grantEverything,
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
  },
  renderError: (ctx, out) => {
    page(ctx, 'Sign-in did not work', `<p>${escape(out.error)}</p><p>${escape(out.error_description ?? '')}</p>`);
  },
  // Cookies know hosts, not ports: names of its own keep them apart from Countersign's on the same 127.0.0.1.
  cookies: {
    keys: [randomBytes(32).toString('base64url')],
    names: { session: 'halden_session', interaction: 'halden_interaction', resume: 'halden_resume' },
  },
  // A new key at each start: clients have to cope with rotation anyway.
  jwks: { keys: [signingKey()] },
  ttl: {
    AccessToken: 60 * 60, AuthorizationCode: 60, Grant: 14 * 24 * 60 * 60, IdToken: 60 * 60, Interaction: 60 * 60, Session: 14 * 24 * 60 * 60,
  },
});

provider.use(signIn);
provider.on('server_error', (_ctx, error) => console.error(error));

const server = createServer(provider.callback());
server.listen(port, '127.0.0.1', () => console.log(`OpenID provider at ${issuer}`));
server.on('error', (error) => {
  console.error(`The OpenID provider cannot listen on 127.0.0.1:${port}: ${error.message}`);
  process.exit(1);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));

// The page at the interaction's address: a GET shows the people, a POST of `login` signs in as one of them.
async function signIn(ctx, next) {
  if (!ctx.path.startsWith('/sign-in/')) return next();
  const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name !== 'login') return finish(ctx, {});
  if (ctx.method !== 'POST') return choosePerson(ctx);

  const login = new URLSearchParams(await bodyOf(ctx.req)).get('login');
  if (!await find(login)) return choosePerson(ctx, `There is nobody called “${login ?? ''}” here.`);
  return finish(ctx, { login: { accountId: login } });
}

async function finish(ctx, result) {
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result);
}

async function choosePerson(ctx, problem) {
  ctx.status = problem ? 422 : 200;
  const forms = (await people()).map((person) => `
    <form method="post">
      <button name="login" value="${escape(person.login)}"><b>${escape(person.name)}</b> <span>${escape(person.note ?? person.login)}</span></button>
    </form>`);
  page(ctx, 'Sign in as', `${problem ? `<p role="alert">${escape(problem)}</p>` : ''}${forms.join('')}`);
}

async function grantEverything(ctx) {
  const { client, session, params } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant = (known && await provider.Grant.find(known))
    ?? new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

function logoutSource(ctx, form) {
  const button = '<button form="op.logoutForm" name="logout" value="yes" autofocus><b>Sign out</b></button>';
  // Whoever came here pressed "sign out" a moment ago; only without JavaScript is it asked once more.
  page(ctx, 'Sign out of Halden SSO?', `${form}${button}<script>document.querySelector('button').click()</script>`);
}

function postLogoutSuccessSource(ctx) {
  page(ctx, 'You are signed out', '<p>You may close this page.</p>');
}

async function people() {
  return JSON.parse(await readFile(peopleFile, 'utf8'));
}

async function find(login) {
  return (await people()).find((person) => person.login === login);
}

function claimsOf({ login, name, email = `${login}@halden.example`, groups, claims }) {
  return { sub: login, name, preferred_username: login, email, email_verified: true, ...(groups && { groups }), ...claims };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
}

async function bodyOf(request, limit = 10_000) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > limit) throw new Error('The form is too large.');
  }
  return body;
}

function page(ctx, title, content) {
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${escape(title)} · Halden SSO</title>
<style>
  body { margin: 12vh auto; max-width: 26rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; background: #f3f4f7; color: #16181d }
  h1 { font-size: 1.25rem } header { color: #5a6172 }
  button { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; width: 100%; margin: .5rem 0; padding: .8rem 1rem;
    font: inherit; text-align: left; color: inherit; background: #fff; border: 1px solid #c3c8d4; border-radius: .5rem; cursor: pointer }
  button:hover { border-color: #3b5bdb } button span { color: #5a6172 }
</style>
<main><header>Halden SSO</header><h1>${escape(title)}</h1>${content}</main>
</html>`;
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function words(text) {
  return text.split(/\s+/).filter(Boolean);
}

function origins(uris) {
  return [...new Set(uris.map((uri) => new URL('/', uri).href))];
}
