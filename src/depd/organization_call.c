/* GET /organization: whose data it is, and the key that its certificates are signed by. */
#include "api/dep_status.h"
#include "crypto/pubkey.h"
#include "depd/dep_operations.h"
#include "depd/organization.h"

#define PEM_MAX 1024

static bool
show(struct dep_call *call)
{
	struct db_dep_organization organization;
	CLEAN(buf)
	struct buf pem;
	buf_init(&pem, PEM_MAX);
	if (!organization_get(call->depd, call->arena, &organization, &call->err))
		return false;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_spki(organization.signing_spki, &call->err);
	if (pubkey == NULL)
		return err_set(&call->err, ERR_CATALOG_INTEGRITY, NULL);
	uint8_t digest[HASH_SHA256_LEN];
	pubkey_to_pem(pubkey, &pem);
	pubkey_fingerprint(pubkey, digest);
	const struct api_dep_organization view = {
		.name = organization.name,
		.created = organization.created,
		.signing_kid = organization.signing_kid,
		.signing_pem = buf_peek(&pem),
		.fingerprint = {digest, sizeof(digest)},
	};
	api_dep_organization_format(&view, &call->body);
	return true;
}

static enum op_result
step_show(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	return show(call) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type organization_show_type = {
	.op = DEP_CALL_OP_TYPE("organization.show", steps),
	.size = sizeof(struct dep_call),
};
