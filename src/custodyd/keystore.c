/*
 * A hash of chains by vault and name, newest use first within one list for eviction. Entries in use stay alive
 * by their count even when forgotten, so a change is seen by the next request and not by a running one.
 */
#include "keystore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/b64.h"
#include "base/buf.h"
#include "base/secret.h"
#include "wire/wire.h"

#define BUCKETS        1024
#define IDENTITIES_MAX 32

struct slot {
	TAILQ_ENTRY(slot) by_age;
	LIST_ENTRY(slot) by_name;
	bool newest; /* found without a version */
	int64_t vault;
	char name[ID_KEY_NAME_MAX + 1]; /* folded */
	struct key_version *key;
};

struct identity {
	char token[DB_TOKEN_NAME];
	struct pubkey *pubkey;
};

struct keystore {
	struct db *db;
	char *dns_suffix;
	size_t capacity;
	size_t count;
	LIST_HEAD(, slot) buckets[BUCKETS];
	TAILQ_HEAD(slot_ages, slot) ages; /* most recently used first */
	struct identity identities[IDENTITIES_MAX];
	size_t identity_count;
};

struct keystore *
keystore_new(struct db *db, const char *dns_suffix, size_t capacity)
{
	struct keystore *store = calloc(1, sizeof(*store));
	if (store == NULL)
		abort();
	store->db = db;
	store->dns_suffix = strdup(dns_suffix);
	if (store->dns_suffix == NULL)
		abort();
	store->capacity = capacity;
	TAILQ_INIT(&store->ages);
	return store;
}

void
keystore_free(struct keystore *store)
{
	if (store == NULL)
		return;
	keystore_forget_all(store);
	for (size_t i = 0; i < store->identity_count; i++)
		pubkey_free(store->identities[i].pubkey);
	free(store->dns_suffix);
	free(store);
}

struct key_version *
key_version_ref(struct key_version *key)
{
	key->refs++;
	return key;
}

struct key_version *
key_version_unref(struct key_version *key)
{
	if (key == NULL || --key->refs > 0)
		return NULL;
	pubkey_free(key->pubkey);
	arena_free(key->arena); /* the version itself lives in it */
	return NULL;
}

/* FNV-1a: the names are the catalog's own, nobody profits from collisions. */
static size_t
bucket_of(int64_t vault, const char *folded)
{
	uint32_t hash = 2166136261u ^ (uint32_t)vault;
	for (const char *c = folded; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	return hash % BUCKETS;
}

static void
slot_drop(struct keystore *store, struct slot *slot)
{
	TAILQ_REMOVE(&store->ages, slot, by_age);
	LIST_REMOVE(slot, by_name);
	(void)key_version_unref(slot->key);
	free(slot);
	store->count--;
}

void
keystore_forget(struct keystore *store, int64_t vault, const char *name)
{
	char folded[ID_KEY_NAME_MAX + 1];
	id_fold(name, folded);
	struct slot *next;
	for (struct slot *slot = LIST_FIRST(&store->buckets[bucket_of(vault, folded)]);
		slot != NULL; slot = next) {
		next = LIST_NEXT(slot, by_name);
		if (slot->vault == vault && strcmp(slot->name, folded) == 0)
			slot_drop(store, slot);
	}
}

void
keystore_forget_all(struct keystore *store)
{
	while (!TAILQ_EMPTY(&store->ages))
		slot_drop(store, TAILQ_FIRST(&store->ages));
}

static struct slot *
slot_find(struct keystore *store, int64_t vault, const char *folded, const char *version)
{
	struct slot *slot;
	LIST_FOREACH(slot, &store->buckets[bucket_of(vault, folded)], by_name)
	{
		if (slot->vault != vault || strcmp(slot->name, folded) != 0)
			continue;
		if (version[0] == '\0' ? slot->newest
				       : strcmp(strrchr(slot->key->kid, '/') + 1, version) == 0)
			return slot;
	}
	return NULL;
}

static void
slot_add(struct keystore *store, const char *folded, bool newest, struct key_version *key)
{
	if (store->count >= store->capacity)
		slot_drop(store, TAILQ_LAST(&store->ages, slot_ages));
	struct slot *slot = calloc(1, sizeof(*slot));
	if (slot == NULL)
		abort();
	slot->newest = newest;
	slot->vault = key->vault.id;
	(void)snprintf(slot->name, sizeof(slot->name), "%s", folded);
	slot->key = key_version_ref(key);
	LIST_INSERT_HEAD(&store->buckets[bucket_of(slot->vault, folded)], slot, by_name);
	TAILQ_INSERT_HEAD(&store->ages, slot, by_age);
	store->count++;
}

void
keystore_vault_url(const struct keystore *store, const char *vault, char text[static 256])
{
	char folded[ID_VAULT_NAME_MAX + 1];
	id_fold(vault, folded);
	(void)snprintf(text, 256, "https://%s.%s", folded, store->dns_suffix);
}

void
keystore_label(const char *vault, const char *name, char label[static KEYSTORE_LABEL])
{
	char text[KEYSTORE_LABEL];
	(void)snprintf(text, sizeof(text), "%s/%s", vault, name);
	id_fold(text, label);
}

static enum latency_kind
cost_of(enum alg_key type, int bits)
{
	if (type == ALG_KEY_OCT)
		return LATENCY_AES;
	if (type == ALG_KEY_EC)
		return LATENCY_EC;
	return bits <= 2048 ? LATENCY_RSA_2048 : bits <= 3072 ? LATENCY_RSA_3072 : LATENCY_RSA_4096;
}

/* The public key must be of the row's type, and the one that the fingerprint names: a half-edited row is noticed without any token. */
static bool
parse_public(struct key_version *key, struct err *err)
{
	if (key->type == ALG_KEY_OCT)
		return true;
	struct err cause = {0};
	key->pubkey = pubkey_from_spki(key->version.spki, &cause);
	uint8_t fingerprint[HASH_SHA256_LEN];
	if (key->pubkey != NULL)
		pubkey_fingerprint(key->pubkey, fingerprint);
	enum pubkey_type type = key->type == ALG_KEY_EC ? PUBKEY_EC : PUBKEY_RSA;
	if (key->pubkey == NULL || pubkey_get_type(key->pubkey) != type ||
		memcmp(fingerprint, key->version.fingerprint, sizeof(fingerprint)) != 0)
		return err_set(err, ERR_KEY_INTEGRITY, NULL);
	if (key->type == ALG_KEY_EC)
		key->curve = pubkey_get_curve(key->pubkey);
	return true;
}

static void
copy_rows(struct key_version *key, const struct db_vault *vault, const struct db_key *row,
	const struct db_version *version)
{
	key->vault = *vault;
	key->vault.tags = arena_strdup(key->arena, vault->tags != NULL ? vault->tags : "{}");
	key->key = *row;
	key->version = *version;
	key->version.tags = arena_strdup(key->arena, version->tags != NULL ? version->tags : "{}");
	key->version.spki = arena_bytes(key->arena, version->spki.data, version->spki.len);
	key->version.attestation =
		arena_bytes(key->arena, version->attestation.data, version->attestation.len);
}

struct key_version *
keystore_wrap(struct keystore *store, const struct db_vault *vault, const struct db_key *row,
	const struct db_version *version, struct err *err)
{
	enum kty kty = kty_find(version->kty);
	if (kty == KTY_NONE)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL), NULL;
	struct arena *arena = arena_new();
	struct key_version *key = arena_alloc(arena, sizeof(*key));
	key->refs = 1;
	key->arena = arena;
	copy_rows(key, vault, row, version);
	key->type = kty_key(kty);
	key->cost = cost_of(key->type, version->bits);
	char url[256];
	keystore_vault_url(store, vault->name, url);
	char hex[ID_VERSION_TEXT];
	hex_encode(version->id, ID_VERSION_BYTES, hex);
	(void)snprintf(key->kid, sizeof(key->kid), "%s/keys/%s/%s", url, row->name, hex);
	if (!parse_public(key, err))
		return key_version_unref(key);
	return key;
}

static bool
state_check(const struct db_version *version, struct err *err)
{
	switch (version->state) {
	case DB_VERSION_OK:
		return true;
	case DB_VERSION_MISSING:
		return err_set(err, ERR_KEY_MISSING, NULL);
	case DB_VERSION_INTEGRITY:
		return err_set(err, ERR_KEY_INTEGRITY, NULL);
	}
	return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
}

/* `used`: a version that is missing or contradicts its token is refused. */
static struct key_version *
load(struct keystore *store, const struct db_vault *vault, const char *name, const char *version,
	bool used, struct err *err)
{
	uint8_t id[ID_VERSION_BYTES];
	if (version[0] != '\0' && !hex_decode(version, id, sizeof(id)))
		return err_set(err, ERR_KEY_NOT_FOUND, NULL), NULL;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_key key_row;
	struct db_version version_row;
	if (!db_version_find(store->db, vault->id, name, version[0] == '\0' ? NULL : id, arena,
		    &key_row, &version_row, err))
		return NULL;
	if (used && !state_check(&version_row, err))
		return NULL;
	return keystore_wrap(store, vault, &key_row, &version_row, err);
}

/* Identifiers are compared case-insensitively (akv-contract §1). */
static bool
fold(const char *name, const char *version, char folded[static ID_KEY_NAME_MAX + 1],
	char hex[static ID_VERSION_TEXT], struct err *err)
{
	if (!id_key_name_valid(name))
		return err_set(err, ERR_BAD_PARAMETER, "The request URI contains an invalid name.");
	if (strlen(version) >= ID_VERSION_TEXT)
		return err_set(err, ERR_KEY_NOT_FOUND, NULL);
	id_fold(name, folded);
	id_fold(version, hex);
	return true;
}

struct key_version *
keystore_look(struct keystore *store, const struct db_vault *vault, const char *name,
	const char *version, struct err *err)
{
	char folded[ID_KEY_NAME_MAX + 1];
	char hex[ID_VERSION_TEXT];
	return fold(name, version, folded, hex, err) ? load(store, vault, name, hex, false, err)
						     : NULL;
}

struct key_version *
keystore_get(struct keystore *store, const struct db_vault *vault, const char *name,
	const char *version, struct err *err)
{
	char folded[ID_KEY_NAME_MAX + 1];
	char hex[ID_VERSION_TEXT];
	if (!fold(name, version, folded, hex, err))
		return NULL;
	struct slot *slot = slot_find(store, vault->id, folded, hex);
	if (slot != NULL) {
		TAILQ_REMOVE(&store->ages, slot, by_age);
		TAILQ_INSERT_HEAD(&store->ages, slot, by_age);
		return key_version_ref(slot->key);
	}
	struct key_version *key = load(store, vault, name, hex, true, err);
	if (key != NULL)
		slot_add(store, folded, hex[0] == '\0', key);
	return key;
}

static struct identity *
identity_find(struct keystore *store, const char *token)
{
	for (size_t i = 0; i < store->identity_count; i++) {
		if (strcmp(store->identities[i].token, token) == 0)
			return &store->identities[i];
	}
	return NULL;
}

bool
keystore_set_identity(struct keystore *store, const char *token, struct bytes spki, struct err *err)
{
	struct identity *identity = identity_find(store, token);
	if (identity != NULL && bytes_equal(pubkey_get_spki(identity->pubkey), spki))
		return true;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_spki(spki, err);
	if (pubkey == NULL)
		return false;
	if (identity == NULL) {
		assert(store->identity_count < IDENTITIES_MAX); /* tokens.h allows fewer */
		identity = &store->identities[store->identity_count++];
		(void)snprintf(identity->token, sizeof(identity->token), "%s", token);
	}
	pubkey_free(identity->pubkey);
	identity->pubkey = pubkey;
	pubkey = NULL;
	keystore_forget_all(store); /* what another identity proved is proved no longer */
	return true;
}

static enum wire_kty
wire_kty_of(enum alg_key type, uint32_t ops)
{
	switch (type) {
	case ALG_KEY_RSA:
		return WIRE_KTY_RSA;
	case ALG_KEY_EC:
		return WIRE_KTY_EC;
	case ALG_KEY_OCT:
		return (ops & ALG_SIGN) != 0 ? WIRE_KTY_HMAC : WIRE_KTY_AES;
	}
	assert(!"a key type outside the enum");
	return WIRE_KTY_RSA;
}

static enum wire_curve
wire_curve_of(enum curve curve)
{
	switch (curve) {
	case CURVE_P256:
		return WIRE_CURVE_P256;
	case CURVE_P384:
		return WIRE_CURVE_P384;
	case CURVE_P521:
		return WIRE_CURVE_P521;
	case CURVE_P256K:
		return WIRE_CURVE_P256K;
	case CURVE_NONE:
	case CURVE_COUNT:
		break;
	}
	return WIRE_CURVE_NONE;
}

/* The octets that the token signed when it made the key, put together again from the row. */
static bool
attested_digest(const struct key_version *key, uint8_t digest[static HASH_SHA256_LEN])
{
	char label[KEYSTORE_LABEL];
	keystore_label(key->vault.name, key->key.name, label);
	const uint32_t said = WIRE_PROVENANCE_LOCAL | WIRE_PROVENANCE_ALWAYS_SENSITIVE |
			      WIRE_PROVENANCE_NEVER_EXTRACTABLE;
	struct wire_attested attested = {
		.purpose = WIRE_ATTESTED_PURPOSE,
		.label = label,
		.kty = (uint8_t)wire_kty_of(key->type, key->version.ops_born),
		.bits = (uint16_t)key->version.bits,
		.curve = (uint8_t)wire_curve_of(key->curve),
		.ops = key->version.ops_born,
		.extractable = key->vault.backup == DB_BACKUP_TRUSTED,
		.provenance = (uint8_t)(key->version.provenance & said),
	};
	memcpy(attested.id, key->version.id, sizeof(attested.id));
	memcpy(attested.fingerprint, key->version.fingerprint, sizeof(attested.fingerprint));
	CLEAN(buf)
	struct buf octets;
	buf_init(&octets, WIRE_MAX);
	if (!wire_record_append(&octets, WIRE_RECORD_attested, &attested))
		return false;
	hash_sha256(octets.data, octets.len, digest);
	return true;
}

bool
keystore_prove(struct keystore *store, struct key_version *key, struct err *err)
{
	if (key->proved)
		return true;
	struct identity *identity = identity_find(store, key->vault.token);
	if (identity == NULL)
		return err_set(err, ERR_UNAVAILABLE,
			"Token %s has not proved its identity since the service started; try again "
			"when it is back.",
			key->vault.token);
	uint8_t digest[HASH_SHA256_LEN];
	bool valid = false;
	struct err cause = {0};
	bool checked = attested_digest(key, digest) &&
		       pubkey_verify(identity->pubkey, PUBKEY_SIGN_ECDSA, HASH_SHA256,
			       (struct bytes){digest, sizeof(digest)}, key->version.attestation,
			       &valid, &cause);
	if (!checked || !valid)
		return err_set(err, ERR_KEY_INTEGRITY, NULL);
	key->proved = true;
	return true;
}

bool
keystore_hsm_generated(struct keystore *store, struct key_version *key)
{
	const uint32_t wanted = DB_PROVENANCE_LOCAL | DB_PROVENANCE_ALWAYS_SENSITIVE |
				DB_PROVENANCE_NEVER_EXTRACTABLE | DB_PROVENANCE_OURS;
	struct err unproved = {0};
	return (key->version.provenance & (wanted | DB_PROVENANCE_IMPORTED)) == wanted &&
	       keystore_prove(store, key, &unproved);
}
