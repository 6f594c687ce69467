/*
 * Internal to pkcs11/: objects by their handles. Everything a module returns is checked against what was asked
 * (threat A23). Failures go through session_fail().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct _CK_ATTRIBUTE;
struct session;

/* Objects that match all of `attributes`; at most `max` (the search stops there). */
bool object_find(struct session *session, struct _CK_ATTRIBUTE *attributes, size_t attribute_count,
	unsigned long *ret_objects, size_t max, size_t *ret_count, struct err *err) MUST_USE;
/* Token objects with this CKA_ID, of any class. */
bool object_find_id(struct session *session, const uint8_t id[static 16],
	unsigned long *ret_objects, size_t max, size_t *ret_count, struct err *err) MUST_USE;

enum object_value {
	OBJECT_VALUE,
	OBJECT_ABSENT, /* the object has no such attribute, or does not show it */
	OBJECT_FAILED, /* *err is set */
};

/* Reads one attribute of at most `size` octets. */
enum object_value object_read(struct session *session, unsigned long object, unsigned long type,
	void *value, size_t size, size_t *ret_len, struct err *err) MUST_USE;

/* The same for an attribute that must be there: absent is ERR_KEY_INTEGRITY. */
bool object_get(struct session *session, unsigned long object, unsigned long type, void *value,
	size_t size, size_t *ret_len, struct err *err) MUST_USE;
bool object_get_bool(struct session *session, unsigned long object, unsigned long type,
	bool *ret_value, struct err *err) MUST_USE;
bool object_get_number(struct session *session, unsigned long object, unsigned long type,
	unsigned long *ret_value, struct err *err) MUST_USE;

bool object_destroy(struct session *session, unsigned long object, struct err *err) MUST_USE;

/*
 * Destroys a session object that holds a secret. If the token will not, the session is closed, which ends its
 * objects (threat A21), and another opened; failing that the session is lost.
 */
void object_destroy_transient(struct session *session, unsigned long object);
