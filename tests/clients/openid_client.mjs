// What an application built on openid-client does with its keys: discover the server, then get, refresh, introspect and
// revoke tokens. Reads SERVER, CLIENT_ID and CLIENT_SECRET; NODE_EXTRA_CA_CERTS names the node's own certificate.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { SERVER, CLIENT_ID, CLIENT_SECRET, CLIENTS } = process.env;
const require = createRequire(`${CLIENTS}/`);
const client = await import(pathToFileURL(require.resolve('openid-client')));

async function run(name, authentication) {
    const at = new URL(`${SERVER}/oauth2/token/.well-known/openid-configuration`);
    const config = await client.discovery(at, CLIENT_ID, CLIENT_SECRET, authentication);
    assert.equal(config.serverMetadata().token_endpoint, `${SERVER}/oauth2/token`);

    const application = await client.clientCredentialsGrant(config);
    assert.equal(application.token_type, 'bearer');
    assert.ok(application.expires_in > 0);
    assert.equal(application.refresh_token, undefined);

    const user = await client.genericGrantRequest(config, 'password', { username: 'admin', password: 'admin' });
    const refreshed = await client.refreshTokenGrant(config, user.refresh_token);
    assert.notEqual(refreshed.access_token, user.access_token);

    const reader = await client.discovery(at, CLIENT_ID, CLIENT_SECRET, client.ClientSecretBasic(CLIENT_SECRET));
    const isActive = async (token) => (await client.tokenIntrospection(reader, token)).active;
    assert.equal(await isActive(refreshed.access_token), true);
    assert.equal(await isActive('no-such-token'), false);
    for (const token of [application.access_token, refreshed.refresh_token]) {
        await client.tokenRevocation(config, token);
        assert.equal(await isActive(token), false);
    }
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });
    await assert.rejects(
        client.genericGrantRequest(config, 'password', { username: 'admin', password: 'wrong' }),
        { error: 'invalid_grant' },
    );
    console.log(`openid-client with ${name}: well`);
}

await run('client_secret_basic', client.ClientSecretBasic(CLIENT_SECRET));
await run('client_secret_post', client.ClientSecretPost(CLIENT_SECRET));
