/*
 * The dual envelope: a JWE in general JSON serialization (RFC 7516 §7.2.1) with A256GCM, one recipient
 * per root key, the caller's context as `aad`, and in the protected header the list of recipients and a
 * commitment to the content key (CEK). The format is fixed in doc/envelope.md; a strict parser, a maker
 * and an opener are here, the wrapping and unwrapping of the CEK is its keys' business.
 *
 * Errors: ERR_BAD_PARAMETER for what anybody sees to be no envelope of ours, with the reason;
 * ERR_BAD_CIPHERTEXT, always in the same words, for every envelope that does not open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/gcm.h"
#include "crypto/pubkey.h"
#include "jose/alg.h"

struct json_value;

#define ENVELOPE_TEXT_MAX       65536 /* octets of JSON */
#define ENVELOPE_RECIPIENTS_MAX 8     /* when opened; threat E8 */
#define ENVELOPE_LISTED_MIN     2     /* an envelope never depends on one key alone */
#define ENVELOPE_PLAINTEXT_MAX  4096  /* octets; at least 1 */
#define ENVELOPE_CONTEXT_MAX    8192  /* octets; may be empty */
#define ENVELOPE_KID_MAX        448   /* characters: https://, host, /keys/, name, /, version */
#define ENVELOPE_KEY_MAX        PUBKEY_MODULUS_MAX /* octets of an encrypted key */
#define ENVELOPE_CEK_LEN        32
#define ENVELOPE_KW_LEN         (ENVELOPE_CEK_LEN + 8) /* octets of a CEK under A256KW (RFC 3394) */
#define ENVELOPE_ID_LEN         32
#define ENVELOPE_COMMIT_LEN     32

/* Who can open: a full key version id in canonical spelling, and RSA-OAEP-256 or A256KW. */
struct envelope_key {
	char kid[ENVELOPE_KID_MAX + 1];
	enum alg alg;
};

struct envelope_recipient {
	struct envelope_key key;
	uint8_t encrypted_key[ENVELOPE_KEY_MAX];
	size_t encrypted_key_len; /* 0: not yet set */
};

/* Read its members freely; they change only through the functions below. */
struct envelope {
	struct envelope_key
		listed[ENVELOPE_RECIPIENTS_MAX]; /* protected: who was to be able to open */
	size_t listed_count;
	struct envelope_recipient recipients
		[ENVELOPE_RECIPIENTS_MAX]; /* present, each one of `listed`, in its order */
	size_t recipient_count;
	uint8_t id[ENVELOPE_ID_LEN];
	uint8_t commit[ENVELOPE_COMMIT_LEN];
	uint8_t iv[GCM_IV_LEN];
	uint8_t tag[GCM_TAG_LEN];
	uint8_t ciphertext[ENVELOPE_PLAINTEXT_MAX];
	size_t ciphertext_len;
	char *protected_text; /* base64url, exactly as it was or will be sent */
	char *aad_text; /* base64url of the context; "" (no aad member, RFC 7516 §7.2.1) is a context */
};

/*
 * Strict: the general form with exactly the members protected, aad, iv, ciphertext, tag, recipients;
 * nothing twice, nothing unknown, every size as above, kids in canonical spelling with a version, 1 to 8
 * recipients that appear in the protected list in this order with the same kid and alg.
 */
struct envelope *envelope_parse(const char *text, size_t len, struct err *err) MUST_USE;
/* The same for a member of a body that was parsed already (its size is the body's business). */
struct envelope *envelope_decode(const struct json_value *value, struct err *err) MUST_USE;

/* Appends the JSON object. Every recipient must have its encrypted key (asserted). ERR_TOO_LARGE: `out` is full. */
bool envelope_format(const struct envelope *envelope, struct buf *out, struct err *err) MUST_USE;

/*
 * Makes an envelope of `plaintext` for `keys` (2 to 8, no kid twice) but for the encrypted keys: chooses
 * CEK, iv and id, commits, encrypts. The caller then wraps *ret_cek, which he owns, for each recipient in
 * turn by envelope_wrap() or envelope_set_key(). ERR_BAD_PARAMETER: a limit above, a kid or alg not allowed.
 */
struct envelope *envelope_make(const struct envelope_key *keys, size_t count, struct bytes context,
	const struct secret *plaintext, struct secret **ret_cek, struct err *err) MUST_USE;

/* Wraps the CEK for recipient `i`, one of RSA-OAEP-256, in software. */
bool envelope_wrap(struct envelope *envelope, size_t i, const struct pubkey *pubkey,
	const struct secret *cek, struct err *err) MUST_USE;

/* Sets recipient `i`'s encrypted key, made by a token. ERR_BAD_PARAMETER: a length its alg cannot have. */
bool envelope_set_key(
	struct envelope *envelope, size_t i, struct bytes encrypted_key, struct err *err) MUST_USE;

/* Whether a recipient of the protected list is missing. */
bool envelope_degraded(const struct envelope *envelope);

/* ERR_BAD_CIPHERTEXT unless `context` is what the envelope is bound to. Ask before any token is (threat E5). */
bool envelope_check_context(
	const struct envelope *envelope, struct bytes context, struct err *err) MUST_USE;

/*
 * Opens with the CEK that one recipient's key gave. The context, the CEK's length and the commitment are
 * compared before GCM is tried, all in constant time. A new secret, or NULL with ERR_BAD_CIPHERTEXT:
 * try the next recipient.
 */
struct secret *envelope_open(const struct envelope *envelope, struct bytes context,
	const struct secret *cek, struct err *err) MUST_USE;

struct envelope *envelope_dup(const struct envelope *envelope);
void envelope_free(struct envelope *envelope);

DEFINE_CLEAN(envelope, struct envelope)
