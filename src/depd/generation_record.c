/* Invariant: every member of a row that decides which key is used, and by whom, is in the record. */
#include "generation_record.h"

#include <assert.h>
#include <string.h>

#define RECORD_HEAD "custody-dep generation"
#define FORMAT      1
#define RECORD_MAX  4096

static void
put_number(struct buf *out, uint64_t number, size_t octets)
{
	for (size_t i = octets; i > 0; i--) {
		uint8_t octet = (uint8_t)(number >> (8 * (i - 1)));
		(void)buf_append(out, &octet, 1); /* overflow is looked at once, at the end */
	}
}

static void
put_field(struct buf *out, const void *data, size_t len)
{
	put_number(out, len, 4);
	(void)buf_append(out, data, len);
}

static void
put_text(struct buf *out, const char *text)
{
	put_field(out, text, strlen(text));
}

static void
put_int(struct buf *out, int64_t number)
{
	put_number(out, 8, 4);
	put_number(out, (uint64_t)number, 8);
}

void
generation_record_seal(struct db_dep_generation *row)
{
	hash_sha256(row->envelope, strlen(row->envelope), row->envelope_digest);
	hash_sha256(row->availability_wrap.data, row->availability_wrap.len, row->wrap_digest);
}

static bool
is_of(const void *data, size_t len, const uint8_t wanted[static HASH_SHA256_LEN])
{
	uint8_t digest[HASH_SHA256_LEN];
	hash_sha256(data, len, digest);
	return memcmp(digest, wanted, sizeof(digest)) == 0;
}

bool
generation_record_has_envelope(const struct db_dep_generation *row)
{
	return is_of(row->envelope, strlen(row->envelope), row->envelope_digest);
}

bool
generation_record_has_wrap(const struct db_dep_generation *row)
{
	return is_of(row->availability_wrap.data, row->availability_wrap.len, row->wrap_digest);
}

void
generation_record_digest(const char *organization, const uint8_t policy[static DB_DEP_GUID],
	const struct db_dep_generation *row, uint8_t digest[static HASH_SHA256_LEN])
{
	CLEAN(buf)
	struct buf record;
	buf_init(&record, RECORD_MAX);
	(void)buf_append(&record, RECORD_HEAD, sizeof(RECORD_HEAD)); /* with its NUL */
	put_number(&record, FORMAT, 1);
	put_text(&record, organization);
	put_field(&record, policy, DB_DEP_GUID);
	put_field(&record, row->guid, sizeof(row->guid));
	put_int(&record, row->number);
	put_text(&record, row->kid[0]);
	put_text(&record, row->kid[1]);
	put_field(&record, row->envelope_digest, sizeof(row->envelope_digest));
	put_text(&record, row->availability_kid);
	put_field(&record, row->wrap_digest, sizeof(row->wrap_digest));
	put_field(&record, row->check, sizeof(row->check));
	put_int(&record, row->created);
	assert(!record.overflow); /* the catalog bounds every text */
	hash_sha256(record.data, record.len, digest);
}

bool
generation_record_verify(const char *organization, const uint8_t policy[static DB_DEP_GUID],
	const struct db_dep_generation *row, const struct pubkey *signer, struct err *err)
{
	uint8_t digest[HASH_SHA256_LEN];
	bool valid = false;
	generation_record_digest(organization, policy, row, digest);
	if (!pubkey_verify(signer, PUBKEY_SIGN_ECDSA, HASH_SHA256,
		    (struct bytes){digest, sizeof(digest)}, row->signature, &valid, err))
		valid = false; /* a pinned key that is none of ours signs nothing */
	return valid || err_set(err, ERR_CATALOG_INTEGRITY,
				"A generation in the catalog was not signed by this service; it is "
				"not used.");
}
