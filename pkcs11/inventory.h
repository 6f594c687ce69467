/* What lies on the token, without judging it: for start-up, reconciliation and a person. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/session.h"

struct inventory_count {
	unsigned private_keys;
	unsigned public_keys;
	unsigned secret_keys;
	char label[HSMKEY_LABEL_MAX + 1]; /* of the first found */
};

/* What the token holds of one id, without judging it. */
bool inventory_count(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	struct inventory_count *ret_count, struct err *err) MUST_USE;

enum inventory_class {
	INVENTORY_PRIVATE = 1,
	INVENTORY_PUBLIC,
	INVENTORY_SECRET,
	INVENTORY_OTHER,
};

struct inventory_object {
	uint8_t id[HSMKEY_ID_LEN];
	enum inventory_class class;
	char label[HSMKEY_LABEL_MAX + 1];
};

/* Called for each object of ours; false ends the walk without an error. */
typedef bool inventory_visitor(void *context, const struct inventory_object *object);

/*
 * Walks all token objects: a key with an id of 16 octets and a label "vault/key" is ours, all else is foreign and
 * counted. Slow on a full token; never for a request of a caller.
 */
bool inventory_walk(struct session *session, inventory_visitor *visit, void *context,
	uint32_t *ret_foreign, struct err *err) MUST_USE;
