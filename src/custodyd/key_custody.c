/*
 * GET /vaults/{vault}/keys/{name}/{version}: where a key version is, how strong it is and where it comes from, as far as the
 * dialect's bundle has no member for it (threats A1, A4, A22). Nothing is asked of the token: what it said of the key at the
 * birth is in the row, signed by its identity key.
 */
#include <string.h>
#include <strings.h>

#include "base/b64.h"
#include "crypto/strength.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"

static enum api_key_state
state_of(enum db_version_state state)
{
	switch (state) {
	case DB_VERSION_OK:
		return API_KEY_OK;
	case DB_VERSION_MISSING:
		return API_KEY_MISSING;
	case DB_VERSION_INTEGRITY:
		break;
	}
	return API_KEY_INTEGRITY;
}

static unsigned
strength_of(const struct key_version *key)
{
	switch (key->type) {
	case ALG_KEY_RSA:
		return strength_of_rsa((unsigned)key->version.bits);
	case ALG_KEY_EC:
		return key->curve == CURVE_NONE ? 0 : curve_strength(key->curve);
	case ALG_KEY_OCT:
		break;
	}
	return strength_of_secret((unsigned)key->version.bits);
}

static enum api_attested
attested_of(struct keystore *store, struct key_version *key)
{
	struct err err = {0};
	if (keystore_prove(store, key, &err))
		return API_ATTESTED_YES;
	return err_class(err.code) == ERR_CLASS_UNAVAILABLE ? API_ATTESTED_UNKNOWN
							    : API_ATTESTED_NO;
}

static void
fill(struct call *call, struct key_version *key, struct api_key_custody *custody)
{
	struct custodyd *daemon = call->task.daemon;
	const struct token *token = tokens_find(daemon->tokens, key->vault.token);
	uint32_t provenance = key->version.provenance;
	*custody = (struct api_key_custody){
		.kid = key->kid,
		.token = key->vault.token,
		.region = token != NULL ? token_region(token) : NULL,
		.hardware = token != NULL && token_is_hardware(token),
		.state = state_of(key->version.state),
		.strength_bits = strength_of(key),
		.mixed = (provenance & DB_PROVENANCE_MIXED) != 0,
		.attested = attested_of(daemon->keys, key),
		.local = (provenance & DB_PROVENANCE_LOCAL) != 0,
		.always_sensitive = (provenance & DB_PROVENANCE_ALWAYS_SENSITIVE) != 0,
		.never_extractable = (provenance & DB_PROVENANCE_NEVER_EXTRACTABLE) != 0,
		.generated_here = (provenance & DB_PROVENANCE_OURS) != 0,
		.imported = (provenance & DB_PROVENANCE_IMPORTED) != 0,
		.hsm_generated = keystore_hsm_generated(daemon->keys, key),
	};
}

/* That it is gone for good is known of a version that was named, from its tombstone. */
static bool
show_purged(struct call *call)
{
	struct db_tombstone tombstone;
	uint8_t id[ID_VERSION_BYTES];
	char vault[256];
	bool found = false;
	if (call->err.code != ERR_KEY_PURGED || !hex_decode(call->names[2], id, sizeof(id)))
		return false;
	err_clear(&call->err);
	if (!db_tombstone_find(call->task.daemon->db, id, &tombstone, &found, &call->err))
		return false;
	if (!found || strcmp(tombstone.vault, call->vault.name) != 0 ||
		strcasecmp(tombstone.key, call->names[1]) != 0)
		return err_set(&call->err, ERR_KEY_NOT_FOUND, NULL);
	keystore_vault_url(call->task.daemon->keys, tombstone.vault, vault);
	api_key_custody_purged(
		arena_printf(call->arena, "%s/keys/%s/%s", vault, tombstone.key, call->names[2]),
		tombstone.purged, &call->body);
	return true;
}

static enum op_result
step_show(struct op *op)
{
	struct call *call = (struct call *)op;
	CLEAN(key_version)
	struct key_version *key = key_look(call, call->names[1], call->names[2]);
	if (key == NULL)
		return show_purged(call) ? call_finish(call, 200) : call_fail(call);
	struct api_key_custody custody;
	fill(call, key, &custody);
	api_key_custody(&custody, &call->body);
	return call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit", call_admit},
	{"show",  step_show },
};

const struct call_type key_custody_type = {
	.op = CALL_OP_TYPE("key.custody", steps),
	.size = sizeof(struct call),
};
