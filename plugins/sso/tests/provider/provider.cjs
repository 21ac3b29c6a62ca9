// An OpenID provider that misbehaves as it is told: POST /next on the control port says how, for the next sign-in.
//   claims     put over the id token's claims; null takes one away
//   idToken    what the token endpoint answers instead of its own id token
//   status, answer   of the token endpoint
//   redirect   put over the query that people come back with; null takes one away
//   userinfo   put over what the userinfo endpoint says
// GET /keys gives the private keys, so that a test can sign what this provider never would, GET /seen the requests.
const http = require('node:http');
const { OAuth2Server } = require('oauth2-mock-server');

const port = Number(process.argv[2] || 0);
let next = {};
let seen = [];

function put(target, changes, set, remove) {
  for (const [name, value] of Object.entries(changes || {})) value === null ? remove(name) : set(name, value);
}

async function main() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate('RS256', { kid: 'rsa' });
  await server.start(port, '127.0.0.1');
  const address = server.address().port;
  server.issuer.url = `http://127.0.0.1:${address}`;

  server.service.on('beforeTokenSigning', (token, req) => {
    if (token.payload.aud === undefined) return; // the access token
    Object.assign(token.payload, { email: 'john@example.org', email_verified: true, name: 'John Doe' });
    put(token.payload, next.claims, (k, v) => (token.payload[k] = v), (k) => delete token.payload[k]);
  });
  server.service.on('beforeResponse', (response, req) => {
    seen.push({ at: 'token', body: req.body, authorization: req.headers.authorization || null });
    if (next.idToken !== undefined) response.body.id_token = next.idToken;
    if (next.answer !== undefined) response.body = next.answer;
    if (next.status !== undefined) response.statusCode = next.status;
  });
  server.service.on('beforeUserinfo', (response, req) => {
    seen.push({ at: 'userinfo', authorization: req.headers.authorization || null });
    Object.assign(response.body, next.userinfo);
  });
  server.service.on('beforeAuthorizeRedirect', (redirect, req) => {
    seen.push({ at: 'authorize', query: req.query });
    const query = redirect.url.searchParams;
    put(query, next.redirect, (k, v) => query.set(k, v), (k) => query.delete(k));
  });

  const control = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    req.on('end', async () => {
      let answer = {};
      if (req.url === '/next') [next, seen] = [JSON.parse(body), []];
      if (req.url === '/rotate') await server.issuer.keys.generate('RS256', { kid: JSON.parse(body).kid });
      if (req.url === '/keys') answer = server.issuer.keys.toJSON(true);
      if (req.url === '/seen') answer = seen;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(answer));
    });
  });
  control.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ issuer: server.issuer.url, control: control.address().port }));
  });
  process.stdin.on('end', () => process.exit(0)).resume(); // ends with the tests that began it
}

main();
