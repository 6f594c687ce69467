#include "custodyd/proof.h"

#include <string.h>

#include "crypto/pubkey.h"

#define PROOF_OCTETS_MAX 256 /* record `proof`: purpose and challenge */

bool
proof_check(struct bytes spki, const uint8_t challenge[static PROOF_CHALLENGE],
	const struct wire_prove_answer *answer, struct err *err)
{
	struct err reason = {0};
	CLEAN(pubkey)
	struct pubkey *key = pubkey_from_spki(spki, &reason);
	if (key == NULL)
		return err_set(err, ERR_CATALOG_INTEGRITY,
			"The recorded identity of the token is no key.");
	if (!bytes_equal(spki, answer->identity))
		return err_set(err, ERR_TOKEN_IMPOSTOR, NULL);

	CLEAN(buf)
	struct buf signed_octets;
	buf_init(&signed_octets, PROOF_OCTETS_MAX);
	struct wire_proof proof = {.purpose = WIRE_PROOF_PURPOSE};
	memcpy(proof.challenge, challenge, PROOF_CHALLENGE);
	if (!wire_record_append(&signed_octets, WIRE_RECORD_proof, &proof))
		return err_set(err, ERR_INTERNAL, NULL);

	uint8_t digest[HASH_SHA256_LEN];
	bool valid = false;
	hash_sha256(signed_octets.data, signed_octets.len, digest);
	if (!pubkey_verify(key, PUBKEY_SIGN_ECDSA, HASH_SHA256,
		    (struct bytes){digest, sizeof(digest)}, answer->signature, &valid, err))
		return false;
	return valid || err_set(err, ERR_TOKEN_IMPOSTOR, NULL);
}
