// Runs a third-party OpenID provider on 127.0.0.1 until standard input ends.
//
//     node provider.mjs CALLBACK        CALLBACK is the redirect URI of its one client
//
// Prints one line of JSON when it is ready. Its development interactions accept any login.
// The one customer, `cust1`, has more claims than the tests ask for.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [callback] = process.argv.slice(2);
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const customer = {
  given_name: 'Ada',
  family_name: 'Lovelace',
  birthdate: '1815-12-10',
  email: 'ada@example.com',
  phone_number: '+15551230001',
  address: { locality: 'London', country: 'GB' },
};

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'acme shop',
    client_secret: 'a secret of 32 bytes and a percent %',
    redirect_uris: [callback],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  claims: {
    openid: ['sub'],
    profile: ['given_name', 'family_name', 'birthdate'],
    email: ['email'],
    phone: ['phone_number'],
    address: ['address'],
  },
  features: {
    claimsParameter: { enabled: true },
    devInteractions: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
  },
  cookies: { keys: ['for this run'] },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...customer }) }),
});
// Cookies of the development interactions are kept over plain HTTP on this machine.
provider.proxy = true;

server.on('request', provider.callback());
console.log(JSON.stringify({ OPENID_ISSUER: issuer }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
