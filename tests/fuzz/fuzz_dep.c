/* What workloads and administrators send to depd: bodies, lines of scopes, wrapped data keys. What is taken keeps its rules. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "api/dep_blind.h"
#include "api/dep_datakey.h"
#include "api/dep_geo.h"
#include "api/dep_leaving.h"
#include "api/dep_policy.h"
#include "api/dep_purge.h"
#include "api/dep_scope.h"
#include "api/dep_token.h"

/* Always true: what was refused has a code. */
static bool
refused(const struct err *err)
{
	assert(err->code != ERR_NONE && err_status(err->code) >= 400);
	return true;
}

static void
fuzz_policies(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_dep_create create;
	struct api_dep_change change;
	struct api_dep_geo_register geo;
	const char *policy;
	if (api_dep_create_decode(body, arena, &create, &err))
		assert(api_dep_name_valid(create.name) && create.keys[0] != NULL &&
			create.keys[1] != NULL);
	else
		assert(refused(&err));
	if (api_dep_change_decode(body, arena, &change, &err))
		assert(change.has_enabled || change.has_outage_fallback ||
			change.description != NULL);
	else
		assert(refused(&err));
	assert(!api_dep_assign_decode(body, arena, &policy, &err) || policy != NULL);
	if (!api_dep_geo_register_decode(body, arena, &geo, &err))
		return;
	for (size_t i = 0; i < API_DEP_GEO_KEYS; i++)
		assert((geo.keys[i].uri != NULL) != (geo.keys[i].vault != NULL));
}

static void
fuzz_leaving(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_dep_rollback rollback;
	struct api_dep_purge_request request;
	struct api_dep_purge_approval approval;
	struct api_dep_approver_body approver;
	struct api_dep_extend extend;
	const char *reason;
	if (api_dep_rollback_decode(body, arena, &rollback, &err))
		assert(strlen(rollback.fqdn) <= API_DEP_FQDN_MAX && rollback.incident[0] != '\0');
	else
		assert(refused(&err));
	if (api_dep_recover_decode(body, arena, &reason, &err))
		assert(reason[0] != '\0' && strlen(reason) <= API_DEP_REASON_MAX);
	if (api_dep_extend_decode(body, arena, &extend, &err))
		assert(extend.hours >= 1 && extend.hours <= API_DEP_BLIND_HOURS_MAX &&
			extend.reason[0] != '\0');
	if (api_dep_purge_request_decode(body, arena, &request, &err))
		assert(request.reason != NULL && request.contact != NULL);
	if (api_dep_purge_approval_decode(body, arena, &approval, &err))
		assert(approval.document.len > 0 && approval.signature.len > 0);
	if (api_dep_approver_decode(body, true, arena, &approver, &err))
		assert(api_dep_name_valid(approver.name) && approver.certificate != NULL);
}

static void
fuzz_scopes(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct bytes rest = body, line;
	struct api_dep_scope_line scope;
	struct api_dep_scope_assign assign;
	size_t number = 0, lines = 0;
	while (api_dep_line_next(&rest, &number, &line)) {
		assert(line.len <= body.len && rest.len < body.len && ++lines <= number);
		if (api_dep_scope_line_decode(line, arena, &scope, &err))
			assert(scope.id[0] != '\0');
		else
			assert(refused(&err));
	}
	(void)(api_dep_scope_assign_decode(body, arena, &assign, &err) || refused(&err));
}

static void
fuzz_data_keys(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_dep_unwrap unwrap;
	struct dep_token token;
	size_t count;
	if (api_dep_generate_decode(body, arena, &count, &err))
		assert(count <= API_DEP_BATCH_MAX);
	else
		assert(refused(&err));
	if (api_dep_unwrap_decode(body, arena, &unwrap, &err))
		assert(unwrap.count <= API_DEP_BATCH_MAX && (unwrap.batch || unwrap.count == 1));
	else
		assert(refused(&err));
	if (!dep_token_parse(body, &token, &err)) {
		assert(err.code == ERR_BAD_CIPHERTEXT); /* one answer, whatever is wrong */
		return;
	}
	uint8_t again[DEP_TOKEN_MAX]; /* one spelling */
	assert(dep_token_format(&token, again) == body.len &&
		memcmp(again, body.data, body.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = {data, size};
	CLEAN(arena)
	struct arena *arena = arena_new();
	fuzz_policies(body, arena);
	fuzz_leaving(body, arena);
	fuzz_scopes(body, arena);
	fuzz_data_keys(body, arena);
	return 0;
}
