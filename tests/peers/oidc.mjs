// A certified OpenID provider with people that a test adds, changes and removes.
// Takes the client's registration as JSON; prints its address when it listens.
// With a second word `github` it is an OAuth server at GitHub's paths, and stands in for the four
// answers of GitHub's API that GitHub's own documentation describes.
import http from 'node:http';
import { Provider } from 'oidc-provider';

// Nobody reads what comes after the address.
console.info = console.error;
const people = new Map();
const client = JSON.parse(process.argv[2]);
const github = process.argv[3] === 'github';
const server = http.createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [client],
  claims: {
    // How they signed in goes into the ID token.
    openid: ['sub', 'acr', 'amr', 'auth_time'],
    email: ['email', 'email_verified'],
    profile: [
      'name', 'preferred_username', 'groups', 'roles', 'crafts', 'jobs', 'teams', 'place', 'note',
      'door_password',
    ],
  },
  acrValues: ['urn:test:one', 'urn:test:two'],
  scopes: ['openid', 'offline_access', 'email', 'profile', 'user:email', 'read:org'],
  ...(github && {
    routes: {
      authorization: '/login/oauth/authorize',
      token: '/login/oauth/access_token',
      device_authorization: '/login/device/code',
      code_verification: '/login/device',
    },
  }),
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: github },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    revocation: { enabled: true },
  },
  // With a refresh token or without, as the client was registered.
  issueRefreshToken: (ctx, asking) => asking.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, IdToken: 600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
  // It tells only public addresses of a logout; the tests are on this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  cookies: { keys: ['a key for tests'] },
  findAccount: (ctx, sub) => people.has(sub)
    ? { accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }
    : undefined,
});

// How someone signs in: `how` of a person has `amr`, `acr` and `ts`, the time of it.
const finished = provider.interactionFinished.bind(provider);
provider.interactionFinished = (req, res, result, options) => {
  if (result.login) Object.assign(result.login, people.get(result.login.accountId)?.how);
  return finished(req, res, result, options);
};

// What a test does with people: PUT and DELETE /people/SUB.
const handle = provider.callback();
const said = { '': 'user', '/emails': 'emails', '/memberships/orgs': 'orgs', '/teams': 'teams' };
const rest = async (url, req, res) => {
  const token = await provider.AccessToken.find(req.headers.authorization?.replace('Bearer ', ''));
  const person = token && people.get(token.accountId);
  const [page, size] = ['page', 'per_page'].map((name) => Number(url.searchParams.get(name)));
  let body = person?.[said[url.pathname.slice('/api/v3/user'.length)]] ?? { message: 'Bad credentials' };
  if (Array.isArray(body) && size) body = body.slice((page - 1) * size, page * size);
  res.writeHead(person ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
server.on('request', async (req, res) => {
  const url = new URL(req.url, issuer);
  if (github && url.pathname.startsWith('/api/v3/user')) return rest(url, req, res);
  const [, sub] = req.url.match(/^\/people\/(\w+)$/) ?? [];
  if (!sub) return handle(req, res);
  let body = '';
  for await (const part of req) body += part;
  if (req.method === 'DELETE') people.delete(sub);
  else people.set(sub, JSON.parse(body));
  res.writeHead(204).end();
});
console.log(issuer);
