/*
 * The unpadding of RSA-OAEP with its input marked as undefined (threats A15): under valgrind's memcheck every branch and every index
 * that depends on it is an error. Prints nothing; ends with 0 unless a verdict is wrong. With the argument "naive" it compares one
 * octet as a careless unpadding would, which memcheck must report: the control.
 */
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "base/secret.h"
#include "crypto/crypto.h"
#include "crypto/pubkey.h"
#include "crypto/rsapad.h"

#define MODULUS    256
#define HASH       HASH_SHA256
#define SEEDED     (1 + 32) /* after the first octet and the seed */
#define DB         (MODULUS - SEEDED)
#define LABEL_HASH 32

struct damage {
	const char *what;
	size_t at; /* in the encoded message before masking */
	uint8_t change;
};

/* Each class that Manger's attack, or a cousin of it, would like to tell apart. */
static const struct damage damages[] = {
	{"none",			 0,		       0},
	{"first octet",                  0,                       1},
	{"label hash, first octet",      SEEDED,                  1},
	{"label hash, last octet",       SEEDED + LABEL_HASH - 1, 1},
	{"padding is not zero",          SEEDED + LABEL_HASH + 3, 7},
	{"no separator",                 MODULUS - 33,            1},
	{"a separator of another value", MODULUS - 33,            3},
};

static void
mask(uint8_t *data, size_t len, const uint8_t *seed, size_t seed_len)
{
	uint8_t block[4 + DB], digest[HASH_SHA256_LEN];
	memcpy(block, seed, seed_len);
	for (size_t at = 0; at < len; at += sizeof(digest)) {
		block[seed_len] = block[seed_len + 1] = block[seed_len + 2] = 0;
		block[seed_len + 3] = (uint8_t)(at / sizeof(digest));
		hash_sha256(block, seed_len + 4, digest);
		for (size_t i = 0; i < sizeof(digest) && at + i < len; i++)
			data[at + i] ^= digest[i];
	}
}

/* RFC 8017 §7.1.1, with one octet changed before it is masked. */
static void
encode(uint8_t em[static MODULUS], const struct damage *damage)
{
	memset(em, 0, MODULUS);
	memset(em + 1, 0x5a, 32);
	hash_sha256("", 0, em + SEEDED);
	em[MODULUS - 33] = 1;
	memset(em + MODULUS - 32, 0x33, 32);
	em[damage->at] ^= damage->change;
	mask(em + SEEDED, DB, em + 1, 32);
	mask(em + 1, 32, em + SEEDED, DB);
}

static int
check(const struct damage *damage, bool naive)
{
	uint8_t em[MODULUS];
	encode(em, damage);
	CLEAN(secret)
	struct secret *raw = secret_from(em, sizeof(em));
	CLEAN(secret)
	struct secret *message = secret_new(sizeof(em));
	if (raw == NULL || message == NULL)
		return 2;
	(void)VALGRIND_MAKE_MEM_UNDEFINED(secret_data(raw), MODULUS);
	volatile int noticed = 0;
	if (naive && secret_peek(raw)[0] != 0)
		noticed = 1;
	int result = rsapad_oaep_check(raw, HASH, message);
	/* the verdict is what the caller learns anyway */
	(void)VALGRIND_MAKE_MEM_DEFINED(&result, sizeof(result));
	bool right = damage->change == 0 ? result == 32 : result < 0;
	if (!right)
		(void)fprintf(stderr, "%s: %d %d\n", damage->what, result, noticed);
	return right ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct err err;
	bool naive = argc > 1 && strcmp(argv[1], "naive") == 0;
	if (!crypto_init(&err))
		return 2;
	int status = 0;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++)
		status |= check(&damages[i], naive);
	return status;
}
