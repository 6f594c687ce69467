/*
 * GET /vaults/{vault}/keys/{name}/{version}: where a key version is, how strong it is and where it comes from, as far as the
 * dialect's bundle has no member for it (threats A1, A4, A22). Nothing is asked of the token: what it said of the key at the
 * birth is in the row, signed by its identity key.
 */
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

static enum op_result
step_show(struct op *op)
{
	struct call *call = (struct call *)op;
	CLEAN(key_version)
	struct key_version *key = key_look(call, call->names[1], call->names[2]);
	if (key == NULL)
		return call_fail(call);
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
