// Runs a third-party OpenID provider whose backchannel authentication (CIBA) the benchmark measures, on 127.0.0.1
// until standard input ends. It keeps everything in memory.
//
//     node ciba.mjs
//
// Prints one line of JSON when it is ready. `POST /approve` with an `auth_req_id` is the customer's approval.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'benchmark',
    client_secret: 'secret',
    redirect_uris: [],
    response_types: [],
    grant_types: ['urn:openid:params:grant-type:ciba'],
    token_endpoint_auth_method: 'client_secret_basic',
    backchannel_token_delivery_mode: 'poll',
  }],
  features: {
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      processLoginHint: (_context, hint) => hint,
      validateRequestContext: () => undefined,
      validateBindingMessage: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: () => undefined,
    },
    devInteractions: { enabled: false },
  },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});

async function approve(id) {
  const request = await provider.BackchannelAuthenticationRequest.find(id);
  const grant = new provider.Grant({ clientId: request.clientId, accountId: request.accountId });
  grant.addOIDCScope(request.scope);
  await grant.save();
  await provider.backchannelResult(request, grant);
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (request.url !== '/approve') {
    callback(request, response);
    return;
  }
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => approve(new URLSearchParams(body).get('auth_req_id')).then(
    () => response.writeHead(204).end(),
    (error) => response.writeHead(500).end(String(error)),
  ));
});
console.log(JSON.stringify({ issuer }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
