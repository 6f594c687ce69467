/*
 * A maker and opener of dual envelopes that shares nothing with ours: the JOSE library of Node, and commitments from the description.
 *
 *   jose_peer.js make WEST.jwk EAST.jwk CONTEXT PLAINTEXT    an envelope of two RSA keys (threats E21); files of octets
 *   jose_peer.js open ENVELOPE CEK                           the plaintext, opened with the content key alone
 *
 * The result is on standard output. JWKs are those of the daemon's answers, with their "kid".
 */
"use strict";
const { createHash, hkdfSync, randomBytes } = require("crypto");
const { readFileSync } = require("fs");
const { FlattenedEncrypt, generalDecrypt, importJWK, base64url } = require("jose");

const NAMESPACE = "urn:custodyd:v1";
const ALG = "RSA-OAEP-256";

const sha256 = (text) => createHash("sha256").update(text).digest();

function commitment(cek, context, identity, kids) {
	const listed = kids.map((kid) => `${kid}\0${ALG}`).join("\0");
	const info = Buffer.concat([Buffer.from("custodyd-jwe-v1 commit\0"), sha256(base64url.encode(context)), sha256(listed)]);
	return Buffer.from(hkdfSync("sha512", cek, identity, info, 32));
}

async function make(west, east, contextFile, plaintextFile) {
	const keys = [west, east].map((file) => JSON.parse(readFileSync(file, "utf8")));
	const context = readFileSync(contextFile);
	const cek = randomBytes(32);
	const identity = randomBytes(32);
	const kids = keys.map((key) => key.kid);
	const space = {
		rcp: kids.map((kid) => ({ kid, alg: ALG })),
		id: base64url.encode(identity),
		com: base64url.encode(commitment(cek, context, identity, kids)),
	};
	/* The library hides the content key of an envelope with several recipients, so each is made alone, with the same. */
	const encrypt = async (key, iv) => {
		const encryption = new FlattenedEncrypt(readFileSync(plaintextFile))
			.setProtectedHeader({ enc: "A256GCM", [NAMESPACE]: space })
			.setUnprotectedHeader({ kid: key.kid, alg: ALG })
			.setContentEncryptionKey(cek)
			.setInitializationVector(iv);
		if (context.length > 0)
			encryption.setAdditionalAuthenticatedData(context);
		return encryption.encrypt(await importJWK({ kty: "RSA", n: key.n, e: key.e }, ALG));
	};
	const iv = randomBytes(12);
	const whole = await encrypt(keys[0], iv);
	const other = await encrypt(keys[1], iv);
	const recipients = [whole, other].map(({ header, unprotected, encrypted_key }) => ({ header: header ?? unprotected, encrypted_key }));
	const { protected: head, aad, ciphertext, tag } = whole;
	process.stdout.write(JSON.stringify({ protected: head, aad, recipients, iv: whole.iv, ciphertext, tag }));
}

/* The recipients are not authenticated, so one of them may be written as "dir". */
async function open(envelopeFile, cekFile) {
	const envelope = JSON.parse(readFileSync(envelopeFile, "utf8"));
	envelope.recipients = [{ header: { alg: "dir" } }];
	const { plaintext } = await generalDecrypt(envelope, readFileSync(cekFile));
	process.stdout.write(plaintext);
}

const commands = { make, open };
const [command, ...files] = process.argv.slice(2);
commands[command](...files).catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
