/*
 * Keys of the Key Vault dialect as structs: what creates and changes them, bundles and pages of them.
 *
 * Decoders take a body, allocate in `arena`, ignore unknown members and take null for absent (akv-contract §1, §5).
 * A body that breaks a rule of §5 or §7 is ERR_BAD_PARAMETER, the message names the member.
 * Encoders append to `out`; if something did not fit, out->overflow is set and `out` is not to be used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/curve.h"
#include "crypto/pubkey.h"
#include "jose/alg.h"
#include "json/json_writer.h"

#define API_PUBLIC_EXPONENT 65537 /* default, RFC 8017 and akv-contract §7 */

struct api_attributes {
	bool has_enabled, enabled;
	bool has_nbf, has_exp;
	int64_t nbf, exp; /* Unix seconds, not negative; nbf <= exp where both are given */
};

/* KeyCreate, complete: what was absent has its default. */
struct api_key_create {
	enum kty kty;      /* as the answer repeats it */
	enum alg_key type; /* of kty */
	unsigned bits; /* RSA 2048, 3072, 4096; oct 128, 192, 256, for HMAC 256, 384, 512; EC 0 */
	enum curve curve;  /* EC; else CURVE_NONE */
	uint32_t exponent; /* RSA 3 or 65537; else 0 */
	unsigned ops;      /* set of enum alg_op, not empty; for oct of one family */
	struct api_attributes attributes;
	const char *tags; /* JSON object as text, "{}" for none */
};

/*
 * Also ERR_NOT_SUPPORTED: key_ops with import or export. An oct key has one family of operations, {wrapKey,
 * unwrapKey}, {encrypt, decrypt} or, if HMAC is served, {sign, verify}: threats A1, A3.
 */
bool api_key_create_decode(struct bytes body, struct arena *arena,
	struct api_key_create *ret_create, struct err *err) MUST_USE;

/* KeyUpdate: what is absent stays as it is. */
struct api_key_update {
	bool has_ops;
	unsigned
		ops; /* may be empty; whether they are within those of creation is the caller's to say */
	struct api_attributes attributes;
	const char *tags; /* JSON object as text; NULL: unchanged */
};

bool api_key_update_decode(struct bytes body, struct arena *arena,
	struct api_key_update *ret_update, struct err *err) MUST_USE;

/* `maxresults` of a list: 1 to 25; NULL (absent) is 25 (akv-contract §6). */
#define API_PAGE_MAX 25
bool api_page_size(const char *text, size_t *ret_size, struct err *err) MUST_USE;

#define API_NO_TIME (-1)

/* One key version as answers show it. All text is borrowed. */
struct api_key_view {
	const char
		*kid; /* of a version; in lists of keys and of deleted keys without the version */
	const char *kty;             /* "RSA", "RSA-HSM", …: a name of kty.tbl (asserted) */
	bool hsm_generated;          /* see struct api_key_custody */
	unsigned ops;                /* set of enum alg_op */
	const struct pubkey *pubkey; /* NULL for oct; not read for items */
	bool enabled;
	int64_t nbf, exp; /* Unix seconds or API_NO_TIME */
	int64_t created, updated;
	int retention_days; /* of the vault, 7 to 90 */
	bool purge_protection;
	const char *tags; /* JSON object as text */
	/* Deleted keys only. */
	const char *recovery_id; /* https://<vault>/deletedkeys/<name>; NULL: a live key */
	int64_t deleted_date, scheduled_purge_date;
};

/*
 * The level of a vault with soft delete: "Recoverable" at 90 days, "CustomizedRecoverable" below, with "+Purgeable"
 * unless purge protection is on (akv-contract §5). Static.
 */
const char *api_recovery_level(int retention_days, bool purge_protection);

/* KeyBundle, or DeletedKeyBundle if recovery_id is set. Never a private or symmetric part. */
void api_key_bundle(const struct api_key_view *view, struct buf *out);

enum api_key_state {
	API_KEY_OK,
	API_KEY_MISSING,   /* not on its token */
	API_KEY_INTEGRITY, /* not what the catalog says */
};

enum api_attested {
	API_ATTESTED_UNKNOWN, /* the token has not proved itself since the service started */
	API_ATTESTED_YES,
	API_ATTESTED_NO, /* somebody edited the catalog */
};

/* Where a key version is and where it comes from: what the dialect has no member for (threats A1, A4, A22). */
struct api_key_custody {
	const char *kid; /* of the version */
	const char *token;
	const char *region; /* NULL: the token is not configured any more */
	bool hardware; /* the token calls itself a device; false also where that is not known */
	enum api_key_state state;
	unsigned strength_bits;
	bool mixed;                 /* made to sign and to open data */
	enum api_attested attested; /* whether the token signed what follows */
	bool local;                 /* CKA_LOCAL, as the token said at the birth, and so on */
	bool always_sensitive;
	bool never_extractable;
	bool generated_here; /* this service ordered it */
	bool imported;       /* for ever */
	bool hsm_generated;  /* all of these hold, it is no import, and the token signed it */
};
void api_key_custody(const struct api_key_custody *custody, struct buf *out);
/* {"kid","state":"purged","purged"}: of a version that is gone for good. */
void api_key_custody_purged(const char *kid, int64_t purged_s, struct buf *out);

/* A page {"value":[KeyItem or DeletedKeyItem …],"nextLink"}: begin, each item, end. */
struct api_key_page {
	struct json_writer writer;
};
void api_key_page_begin(struct api_key_page *page, struct buf *out);
void api_key_page_item(struct api_key_page *page, const struct api_key_view *view);
void api_key_page_end(struct api_key_page *page, const char *next_link); /* NULL: the last page */
