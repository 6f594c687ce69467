/*
 * Somebody who has the module and the PIN, but not the daemon: he logs in by Cryptoki and tries what a test tells him.
 * Return values are CKR_ numbers; 0 means that he succeeded. What he cannot even set up asserts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thief;

/* Loads the module in this process and logs in to the token of this label. One at a time. */
struct thief *thief_open(const char *module, const char *label, const char *pin);
void thief_close(struct thief *thief);

/* Somebody else inside a process that has the module started and is logged in: the module's own threads, say. */
struct thief *thief_join(const char *module, const char *label);
void thief_leave(struct thief *thief);
/* Logs the whole process out. */
void thief_logout(struct thief *thief);
/* Closes all sessions of the process but his own, which keeps the login: handles from 1 up are tried. */
void thief_close_others(struct thief *thief);

#define THIEF_OBJECTS_MAX 256
/* Token objects, of one id if `id` is not NULL; session objects if not `token`. Returns the count. */
size_t thief_find(struct thief *thief, const uint8_t *id, bool token,
	unsigned long objects[static THIEF_OBJECTS_MAX]);
/* All on the token but data, which is the lease. */
size_t thief_find_keys(struct thief *thief, unsigned long objects[static THIEF_OBJECTS_MAX]);

/* CKO_ and CKK_ of an object. */
unsigned long thief_class(struct thief *thief, unsigned long object);
unsigned long thief_key_type(struct thief *thief, unsigned long object);
/* A boolean attribute by its CKA_ number; false if the object has none such. */
bool thief_flag(struct thief *thief, unsigned long object, unsigned long attribute);

/* Changing what is there. */
unsigned long thief_set_flag(
	struct thief *thief, unsigned long object, unsigned long attribute, bool value);
unsigned long thief_copy(
	struct thief *thief, unsigned long object, unsigned long attribute, bool value);
unsigned long thief_destroy(struct thief *thief, unsigned long object);

/* Planting: an AES token key of known value that wraps and unwraps, under an id; loose as tokens allow. */
unsigned long thief_plant_aes(struct thief *thief, const uint8_t id[static 16],
	const uint8_t value[static 32], bool trusted, unsigned long *ret_object);
/* A key of this kind under an id, or without name and id (NULL). Empty ones have no value, as what a module leaves that died. */
enum thief_key {
	THIEF_EMPTY_EC_PUBLIC,
	THIEF_EMPTY_EC_PRIVATE,
	THIEF_EMPTY_SECRET,
	THIEF_EC_PUBLIC,
	THIEF_EC_PRIVATE, /* of that public one */
	THIEF_SECRET,
	THIEF_DSA_PUBLIC,
	THIEF_DSA_PRIVATE,
	THIEF_DH_PUBLIC,
	THIEF_KEY_COUNT,
};
unsigned long thief_plant_key(
	struct thief *thief, enum thief_key which, const uint8_t *id, unsigned long *ret_object);
/* A new pair with the id; what a twin or a swapped key is. */
unsigned long thief_plant_rsa(struct thief *thief, const uint8_t id[static 16]);

/* A private data object of an application and a label. */
unsigned long thief_plant_data(struct thief *thief, const char *application, const char *label,
	const void *value, size_t len);
size_t thief_count_data(struct thief *thief);
/* The module as one that stores no data objects; static, for one thread. */
struct _CK_FUNCTION_LIST *thief_without_data(struct thief *thief);

/* Taking out. Mechanisms by CKM_ number, without a parameter. */
unsigned long thief_wrap(struct thief *thief, unsigned long mechanism, unsigned long wrapping,
	unsigned long object, uint8_t out[static 4096], size_t *ret_len);
unsigned long thief_unwrap(struct thief *thief, unsigned long mechanism, unsigned long unwrapping,
	const uint8_t *blob, size_t len, unsigned long *ret_object);
unsigned long thief_decrypt(struct thief *thief, unsigned long mechanism, unsigned long key,
	const uint8_t *data, size_t len, uint8_t out[static 4096], size_t *ret_len);
/* The value itself of a secret key, or the private exponent. */
unsigned long thief_read_value(struct thief *thief, unsigned long object);

#define THIEF_MECHANISMS_MAX 256
size_t thief_mechanisms(struct thief *thief, unsigned long list[static THIEF_MECHANISMS_MAX]);
/* What of C_EncryptInit, C_DecryptInit, C_SignInit, C_WrapKey, C_UnwrapKey, C_DeriveKey a mechanism passes on a key. */
#define THIEF_ENCRYPT 1u
#define THIEF_DECRYPT 2u
#define THIEF_SIGN    4u
#define THIEF_WRAP    8u
#define THIEF_UNWRAP  16u
#define THIEF_DERIVE  32u
unsigned thief_try_mechanism(struct thief *thief, unsigned long mechanism, unsigned long object);
