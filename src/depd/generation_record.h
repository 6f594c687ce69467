/*
 * What is signed when a generation is made, or made anew, and verified at each opening, so that whoever can write the catalog cannot plant
 * a generation whose DEP key he knows (threats G27). The record is not stored: it is made from the row, only its signature is.
 *
 * Of the envelope and the availability wrap the record has the digests that stand in the row. A text that is not its digest's is damaged: it
 * may still be tried, because the check value says which key may come out of it, and no other is used.
 *
 * Encoding, fixed for ever: "custody-dep generation" 00, format 01, then as fields, each its length (four octets, big-endian) and
 * its octets: organization, policy GUID, generation GUID, number (8), kid, kid, SHA-256 of the envelope's text, availability
 * kid, SHA-256 of the availability wrap, check value, created (8). Signed: ES256 over its SHA-256, r ‖ s.
 */
#pragma once

#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "db/db_dep_policy.h"

#define GENERATION_SIGNATURE_LEN 64

/* Puts the digests of its envelope and its availability wrap into a row that is about to be signed. */
void generation_record_seal(struct db_dep_generation *row);
/* Whether they are what was sealed. */
bool generation_record_has_envelope(const struct db_dep_generation *row);
bool generation_record_has_wrap(const struct db_dep_generation *row);

/* The digest to sign. `row` is sealed, and complete but for id, policy and signature; `policy` is its policy's GUID. */
void generation_record_digest(const char *organization, const uint8_t policy[static DB_DEP_GUID],
	const struct db_dep_generation *row, uint8_t digest[static HASH_SHA256_LEN]);
/* ERR_CATALOG_INTEGRITY: not a row that was signed with the pinned key. */
bool generation_record_verify(const char *organization, const uint8_t policy[static DB_DEP_GUID],
	const struct db_dep_generation *row, const struct pubkey *signer, struct err *err) MUST_USE;
