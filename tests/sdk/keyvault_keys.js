/*
 * Everything of KeyClient and CryptographyClient of the official SDK that custodyd serves, over its Unix socket. The clients
 * are as anybody makes them; one policy of five lines leads their https:// to the socket.
 *
 *   keyvault_keys.js SOCKET VAULT-URL    "ok WHAT" or "not ok WHAT", a line each; the error on lines with "#"
 */
"use strict";
const assert = require("assert");
const { createHash, generateKeyPairSync, randomBytes } = require("crypto");
const { Agent } = require("http");
const { CryptographyClient, KeyClient } = require("@azure/keyvault-keys");

const [socketPath, vaultUrl] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, socketPath });
const scopes = [];

const credential = {
	async getToken(scope) {
		scopes.push(scope);
		return { token: "of-no-meaning", expiresOnTimestamp: Date.now() + 3600000 };
	},
};

const toSocket = {
	name: "toSocket",
	async sendRequest(request, next) {
		const { url } = request;
		Object.assign(request, { agent, allowInsecureConnection: true, url: url.replace(/^https:/, "http:") });
		try {
			return await next(request);
		} finally {
			request.url = url;
		}
	},
};

const options = { additionalPolicies: [{ policy: toSocket, position: "perRetry" }] };
const client = new KeyClient(vaultUrl, credential, options);
const crypto = (key) => new CryptographyClient(key, credential, options);
const poll = { intervalInMs: 20 };

async function all(pages) {
	const found = [];
	for await (const item of pages)
		found.push(item);
	return found;
}

/* The error's status, code and inner code. */
async function refused(promise) {
	try {
		await promise;
	} catch (error) {
		const inner = error.details?.error?.innerError?.code ?? error.details?.error?.innererror?.code;
		return [error.statusCode, error.code, inner].filter((part) => part !== undefined).join(" ");
	}
	return "not refused";
}

const text = (octets) => Buffer.from(octets).toString("hex");

/* ---- KeyClient ---- */

async function creates() {
	const rsa = await client.createRsaKey("rsa", { keySize: 2048, tags: { a: "b" }, notBefore: new Date(1e12), expiresOn: new Date(2e12) });
	assert.deepStrictEqual([rsa.name, rsa.keyType, rsa.key.n.length, text(rsa.key.e)], ["rsa", "RSA", 256, "010001"]);
	assert.deepStrictEqual(rsa.keyOperations.slice().sort(), ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"]);
	assert.deepStrictEqual([rsa.properties.tags.a, +rsa.properties.notBefore, +rsa.properties.expiresOn], ["b", 1e12, 2e12]);
	assert.ok(rsa.properties.enabled && rsa.properties.createdOn && rsa.properties.updatedOn && rsa.properties.recoveryLevel);
	assert.strictEqual(rsa.id, `${vaultUrl}/keys/rsa/${rsa.properties.version}`);
	for (const [curve, octets] of [["P-256", 32], ["P-384", 48], ["P-521", 66], ["P-256K", 32]]) {
		const ec = await client.createEcKey(`ec-${curve}`, { curve });
		assert.deepStrictEqual([ec.keyType, ec.key.crv, ec.key.x.length, ec.key.y.length], ["EC", curve, octets, octets]);
	}
	assert.strictEqual((await client.createEcKey("ec-hsm", { hsm: true })).keyType, "EC-HSM");
	for (const keySize of [128, 192, 256]) {
		const oct = await client.createOctKey(`oct-${keySize}`, { keySize });
		assert.deepStrictEqual([oct.keyType, oct.key.k, oct.keyOperations], ["oct", undefined, ["wrapKey", "unwrapKey"]]);
		await client.createOctKey(`gcm-${keySize}`, { keySize, keyOps: ["encrypt", "decrypt"] });
	}
	const disabled = await client.createKey("off", "oct-HSM", { enabled: false });
	assert.deepStrictEqual([disabled.keyType, disabled.properties.enabled], ["oct-HSM", false]);
}

async function imports() {
	const k = randomBytes(32);
	const oct = await client.importKey("in-oct", { kty: "oct", k }, { tags: { a: "b" } });
	assert.deepStrictEqual([oct.keyType, oct.key.k, oct.properties.tags], ["oct", undefined, { a: "b" }]);
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const { kty, crv, ...parts } = privateKey.export({ format: "jwk" });
	for (const part of Object.keys(parts))
		parts[part] = Buffer.from(parts[part], "base64url");
	const ec = await client.importKey("in-ec", { kty, crv, ...parts, keyOps: ["sign", "verify"] });
	assert.deepStrictEqual([text(ec.key.x), text(ec.key.y), ec.key.d], [text(parts.x), text(parts.y), undefined]);
	await signsWith(crypto(ec), "ES256");
	assert.strictEqual(await refused(client.importKey("in-bad", { kty, crv, ...parts, d: randomBytes(32) })), "400 BadParameter");
}

async function gets() {
	const key = await client.getKey("rsa");
	assert.deepStrictEqual((await client.getKey("RSA", { version: key.properties.version })).key, key.key);
	assert.strictEqual(await refused(client.getKey("rsa", { version: "0".repeat(32) })), "404 KeyNotFound");
	assert.strictEqual(await refused(client.getKey("nobody")), "404 KeyNotFound");
}

async function updates() {
	const key = await client.createOctKey("changed", { keySize: 256, tags: { a: "1" } });
	let got = await client.updateKeyProperties("changed", key.properties.version, { enabled: false, tags: { b: "2" }, expiresOn: new Date(1.9e12) });
	assert.deepStrictEqual([got.properties.enabled, got.properties.tags, +got.properties.expiresOn], [false, { b: "2" }, 1.9e12]);
	got = await client.updateKeyProperties("changed", { enabled: true, keyOps: ["wrapKey"] });
	assert.deepStrictEqual([got.properties.enabled, got.keyOperations, got.properties.tags], [true, ["wrapKey"], { b: "2" }]);
	got = await client.updateKeyProperties("changed", { tags: {} });
	assert.deepStrictEqual(got.properties.tags ?? {}, {});
	assert.strictEqual(await refused(client.updateKeyProperties("changed", { keyOps: ["sign"] })), "400 BadParameter");
	assert.strictEqual(await refused(client.updateKeyProperties("nobody", {})), "404 KeyNotFound");
}

async function rotates() {
	const first = await client.createEcKey("turned", { tags: { kept: "yes" } });
	const second = await client.rotateKey("turned");
	assert.notStrictEqual(second.properties.version, first.properties.version);
	assert.deepStrictEqual([second.properties.tags, second.keyOperations], [first.properties.tags, first.keyOperations]);
	const versions = await all(client.listPropertiesOfKeyVersions("turned"));
	assert.deepStrictEqual(versions.map((one) => one.version).sort(), [first.properties.version, second.properties.version].sort());
	assert.ok((await client.getKeyRotationPolicy("turned")).lifetimeActions !== undefined);
	const wanted = { expiresIn: "P90D", lifetimeActions: [{ action: "Rotate", timeBeforeExpiry: "P30D" }, { action: "Notify", timeBeforeExpiry: "P10D" }] };
	const set = await client.updateKeyRotationPolicy("turned", wanted);
	assert.ok(set.id === `${vaultUrl}/keys/turned/rotationpolicy` && set.createdOn && set.updatedOn);
	const kept = await client.getKeyRotationPolicy("turned");
	assert.strictEqual(kept.expiresIn, "P90D");
	assert.deepStrictEqual(kept.lifetimeActions.map((one) => `${one.action} ${one.timeBeforeExpiry}`).sort(), ["Notify P10D", "Rotate P30D"]);
	const third = await client.rotateKey("turned");
	assert.strictEqual(third.properties.expiresOn - third.properties.createdOn, 90 * 86400 * 1000);
	assert.strictEqual(await refused(client.updateKeyRotationPolicy("turned", { expiresIn: "P1D" })), "400 BadParameter");
	assert.strictEqual(await refused(client.rotateKey("nobody")), "404 KeyNotFound");
}

async function randoms() {
	assert.strictEqual((await client.getRandomBytes(33)).length, 33);
	assert.strictEqual(await refused(client.getRandomBytes(129)), "400 BadParameter");
}

async function deletes() {
	const key = await client.createOctKey("gone", { keySize: 128 });
	const deleting = await client.beginDeleteKey("gone", poll);
	const deleted = await deleting.pollUntilDone();
	assert.ok(deleting.isDone() && deleting.getOperationState().isCompleted);
	assert.deepStrictEqual([deleted.name, deleted.id, deleted.properties.recoveryId], ["gone", key.id, `${vaultUrl}/deletedkeys/gone`]);
	assert.ok(deleted.properties.deletedOn < deleted.properties.scheduledPurgeDate);
	assert.strictEqual(await refused(client.getKey("gone")), "404 KeyNotFound");
	assert.strictEqual((await client.getDeletedKey("gone")).properties.recoveryId, deleted.properties.recoveryId);
	assert.ok((await all(client.listDeletedKeys())).some((one) => one.name === "gone"));
	assert.strictEqual(await refused(client.createOctKey("gone")), "409 Conflict ObjectIsDeletedButRecoverable");
	const resumed = await client.beginDeleteKey("gone", { ...poll, resumeFrom: deleting.toString() });
	assert.strictEqual((await resumed.pollUntilDone()).name, "gone");

	const recovering = await client.beginRecoverDeletedKey("gone", poll);
	assert.strictEqual((await recovering.pollUntilDone()).id, key.id);
	assert.strictEqual((await client.getKey("gone")).id, key.id);
	assert.strictEqual(await refused(client.getDeletedKey("gone")), "404 KeyNotFound");
	assert.strictEqual(await refused(client.beginDeleteKey("nobody", poll)), "404 KeyNotFound");
	assert.strictEqual(await refused(client.beginRecoverDeletedKey("nobody", poll)), "404 KeyNotFound");

	await (await client.beginDeleteKey("gone", poll)).pollUntilDone();
	await client.purgeDeletedKey("gone");
	assert.strictEqual(await refused(client.getDeletedKey("gone")), "404 KeyNotFound");
	assert.strictEqual(await refused(client.purgeDeletedKey("gone")), "404 KeyNotFound");
	assert.notStrictEqual((await client.createOctKey("gone", { keySize: 128 })).id, key.id);
}

/* With the others two hundred keys, made fifty at once; each once, in the order of the names, in pages of what was asked for. */
async function pages() {
	const names = Array.from({ length: 184 }, (_, i) => `many-${String(i).padStart(3, "0")}`);
	for (let i = 0; i < names.length; i += 50)
		await Promise.all(names.slice(i, i + 50).map((name) => client.createOctKey(name, { keySize: 128 })));
	const listed = (await all(client.listPropertiesOfKeys())).map((one) => one.name);
	assert.deepStrictEqual(listed.filter((name) => name.startsWith("many-")), names);
	assert.strictEqual(new Set(listed).size, listed.length);
	const sizes = (await all(client.listPropertiesOfKeys().byPage({ maxPageSize: 7 }))).map((page) => page.length);
	assert.ok(sizes.slice(0, -1).every((size) => size === 7) && sizes.reduce((sum, size) => sum + size) === listed.length);
	assert.strictEqual(await refused(all(client.listPropertiesOfKeys().byPage({ maxPageSize: 26 }))), "400 BadParameter");
	assert.strictEqual(await refused(all(client.listPropertiesOfKeyVersions("nobody"))), "404 KeyNotFound");
}

/* ---- CryptographyClient ---- */

async function encrypts() {
	const plaintext = randomBytes(32);
	const rsa = crypto(await client.getKey("rsa"));
	for (const algorithm of ["RSA-OAEP", "RSA-OAEP-256"]) { /* the first is encrypted by the SDK itself */
		const { result, keyID } = await rsa.encrypt({ algorithm, plaintext });
		assert.ok(keyID.startsWith(`${vaultUrl}/keys/rsa/`));
		assert.deepStrictEqual(text((await rsa.decrypt({ algorithm, ciphertext: result })).result), text(plaintext));
	}
	for (const bits of [128, 192, 256]) {
		const algorithm = `A${bits}GCM`;
		const key = client.getCryptographyClient(`gcm-${bits}`);
		const additionalAuthenticatedData = randomBytes(7);
		const sealed = await key.encrypt({ algorithm, plaintext, additionalAuthenticatedData });
		assert.deepStrictEqual([sealed.iv.length, sealed.authenticationTag.length], [12, 16]);
		const { result: ciphertext, iv, authenticationTag } = sealed;
		const opening = { algorithm, ciphertext, iv, authenticationTag, additionalAuthenticatedData };
		assert.deepStrictEqual(text((await key.decrypt(opening)).result), text(plaintext));
		assert.strictEqual(await refused(key.decrypt({ ...opening, additionalAuthenticatedData: randomBytes(7) })), "400 BadParameter");
	}
	assert.strictEqual(await refused(rsa.decrypt({ algorithm: "RSA-OAEP-256", ciphertext: randomBytes(256) })), "400 BadParameter");
	assert.match(await refused(rsa.decrypt({ algorithm: "RSA1_5", ciphertext: randomBytes(256) })), /^400 NotSupported/);
}

async function wraps() {
	const secret = randomBytes(32);
	const { id } = await client.getKey("rsa");
	for (const algorithm of ["RSA-OAEP", "RSA-OAEP-256"]) {
		const { result } = await crypto(id).wrapKey(algorithm, secret);
		assert.deepStrictEqual(text((await crypto(id).unwrapKey(algorithm, result)).result), text(secret));
	}
	for (const bits of [128, 192, 256]) {
		const key = crypto(await client.getKey(`oct-${bits}`));
		for (const algorithm of [`A${bits}KW`, "CKM_AES_KEY_WRAP"]) {
			const { result } = await key.wrapKey(algorithm, secret);
			assert.deepStrictEqual(text((await key.unwrapKey(algorithm, result)).result), text(secret));
			result[0] ^= 1;
			assert.strictEqual(await refused(key.unwrapKey(algorithm, result)), "400 BadParameter");
		}
		assert.match(await refused(key.wrapKey("CKM_AES_KEY_WRAP_PAD", secret)), /^(400 NotSupported|not refused)$/); /* SoftHSM before 2.7 has it for keys only */
	}
}

/* A good signature, another digest, another signature; by the digest and by the data. */
async function signsWith(key, algorithm) {
	const data = randomBytes(100);
	const digest = createHash(`sha${algorithm.slice(2, 5)}`).update(data).digest();
	const { result } = await key.sign(algorithm, digest);
	assert.strictEqual((await key.verify(algorithm, digest, result)).result, true);
	const signed = (await key.signData(algorithm, data)).result;
	assert.strictEqual((await key.verify(algorithm, digest, signed)).result, true);
	if (!algorithm.startsWith("PS")) /* the SDK verifies these itself, with the wrong padding */
		assert.strictEqual((await key.verifyData(algorithm, data, result)).result, true);
	assert.strictEqual((await key.verify(algorithm, randomBytes(digest.length), result)).result, false);
	result[result.length - 1] ^= 1;
	assert.strictEqual((await key.verify(algorithm, digest, result)).result, false);
}

async function signs() {
	const rsa = crypto(await client.getKey("rsa"));
	for (const algorithm of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
		await signsWith(rsa, algorithm);
	const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521", ES256K: "P-256K" };
	for (const algorithm of Object.keys(curves))
		await signsWith(crypto(await client.getKey(`ec-${curves[algorithm]}`)), algorithm);
	assert.strictEqual(await refused(rsa.sign("RS256", randomBytes(31))), "400 BadParameter");
	assert.strictEqual(await refused(rsa.sign("ES256", randomBytes(32))), "400 BadParameter");
}

async function states() {
	const off = crypto((await client.getKey("off")).id);
	assert.strictEqual(await refused(off.wrapKey("A256KW", randomBytes(32))), "403 Forbidden KeyDisabled");
	await client.updateKeyProperties("off", { enabled: true });
	const { result } = await off.wrapKey("A256KW", randomBytes(32));
	/* The SDK looks at the key once, so it does not know. */
	await client.updateKeyProperties("off", { expiresOn: new Date(1e12) });
	assert.strictEqual(await refused(off.wrapKey("A256KW", randomBytes(32))), "403 Forbidden KeyExpired");
	assert.strictEqual((await off.unwrapKey("A256KW", result)).result.length, 32);
	const narrowed = crypto(await client.getKey("oct-128"));
	await client.updateKeyProperties("oct-128", { keyOps: ["unwrapKey"] });
	assert.strictEqual(await refused(narrowed.wrapKey("A128KW", randomBytes(32))), "403 Forbidden KeyOperationForbidden");
}

async function crowd() {
	const key = crypto(await client.getKey("oct-256"));
	const secrets = Array.from({ length: 50 }, () => randomBytes(32));
	const wrapped = await Promise.all(secrets.map((secret) => key.wrapKey("A256KW", secret)));
	const opened = await Promise.all(wrapped.map(({ result }) => key.unwrapKey("A256KW", result)));
	assert.deepStrictEqual(opened.map(({ result }) => text(result)), secrets.map(text));
}

async function challenges() {
	assert.deepStrictEqual(new Set(scopes.flat()), new Set([`https://${new URL(vaultUrl).hostname.replace(/^[^.]*\./, "")}/.default`]));
	const nobody = { getToken: async () => ({ token: "anything else", expiresOnTimestamp: Date.now() + 3600000 }) };
	assert.strictEqual((await new KeyClient(vaultUrl, nobody, options).createOctKey("by-another-token")).name, "by-another-token");
	for (const serviceVersion of ["7.0", "7.4", "7.5", "7.6-preview.2", "7.6"])
		assert.ok(await new KeyClient(vaultUrl, credential, { ...options, serviceVersion }).getKey("rsa"));
	const old = new KeyClient(vaultUrl, credential, { ...options, serviceVersion: "2016-10-01" });
	assert.strictEqual(await refused(old.getKey("rsa")), "400 BadParameter");
	const elsewhere = new KeyClient(vaultUrl.replace("://", "://no-"), credential, options);
	assert.strictEqual(await refused(elsewhere.getKey("rsa")), "404 VaultNotFound");
}

const tests = { creates, imports, gets, updates, rotates, randoms, deletes, encrypts, wraps, signs, states, pages, crowd, challenges };

async function main() {
	for (const [name, test] of Object.entries(tests)) {
		const start = Date.now();
		try {
			await test();
			console.log(`ok ${name}`);
		} catch (error) {
			console.log(`not ok ${name}`);
			console.log(`${error.stack}\n${JSON.stringify(error.details ?? {})}`.replace(/^/gm, "# "));
		}
		console.log(`# ${name}: ${Date.now() - start} ms`);
	}
	agent.destroy();
}

main();
