/*
 * The first start, step by step:
 *
 *   find       the key that a step is about, in the service's custody: an earlier try may have made it
 *   create     or it is made: signing key, then the two root keys
 *   policy     the service-managed policy gets its first generation, unless an earlier try made it
 *   record     organization and slots are in the catalog, in one transaction
 *
 * Every step finds what an earlier try left, so that it may die anywhere. What fails is tried again a little later.
 */
#include "organization.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/random.h"
#include "db/db_dep_scope.h"
#include "depd/custody_port.h"
#include "depd/generation_make.h"
#include "depd/geo_call.h"
#include "depd/policy_undo.h"
#include "depd/tenant_slots.h"

#define AGAIN_MS     2000
#define SIGNING_NAME "signing"
#define ROOT_NAME    "root"
#define KEYS         (1 + POLICY_KEYS) /* signing, and the roots */

struct setup_key {
	const char *host, *name;
	enum kty kty;
	char kid[ENVELOPE_KID_MAX + 1];
};

struct organization_setup {
	struct op op; /* first */
	struct depd *depd;
	struct arena *arena;
	struct setup_key keys[KEYS];
	size_t key; /* the one that is looked for */
	struct bytes signing_spki;
	struct policy_key roots[POLICY_KEYS];
	int64_t policy; /* 0: not made yet */
	uint64_t call, making;
	struct generation_made *made;
	struct err err;
	bool told;
};

static struct organization_setup *
setup_of(struct op *op)
{
	return (struct organization_setup *)op;
}

static op_step_fn step_begin, step_find, step_policy;

static enum op_result
again(struct organization_setup *setup)
{
	if (!setup->told)
		depd_note(setup->depd, "organization.setup", &setup->err, NULL);
	setup->told = true;
	err_clear(&setup->err);
	generation_made_free(setup->made);
	setup->made = NULL;
	op_next_is(&setup->op, step_begin);
	op_set_deadline(&setup->op, AGAIN_MS);
	return OP_WAIT;
}

/* ---- keys ---- */

/* Two names, as dep_options_load() checked. */
static void
name_roots(struct organization_setup *setup)
{
	const struct dep_options_daemon *options = &setup->depd->options->daemon;
	const char *vaults = options->root_vaults;
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		vaults += strspn(vaults, " \t");
		size_t len = strcspn(vaults, " \t");
		setup->keys[1 + i] = (struct setup_key){
			.host = arena_printf(setup->arena, "%.*s.%s", (int)len, vaults,
				options->service_dns_suffix),
			.name = ROOT_NAME,
			.kty = KTY_OCT,
		};
		vaults += len;
	}
}

static enum op_result
step_begin(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	op_set_deadline(op, 0);
	setup->key = 0;
	setup->keys[0] = (struct setup_key){
		.host = generation_availability_host(setup->depd, setup->arena),
		.name = SIGNING_NAME,
		.kty = KTY_EC,
	};
	name_roots(setup);
	return OP_NEXT;
}

static void
on_key(void *ctx, struct custody_answer *answer)
{
	struct organization_setup *setup = ctx;
	struct setup_key *key = &setup->keys[setup->key];
	setup->call = 0;
	setup->err = answer->err;
	if (answer->err.code == ERR_NONE && kty_key(answer->key.kty) != kty_key(key->kty))
		(void)err_set(&setup->err, ERR_KEY_TYPE_NOT_SUPPORTED,
			"Key %s of the service's custody is of another type.", key->name);
	if (setup->err.code == ERR_NONE) {
		(void)snprintf(key->kid, sizeof(key->kid), "%s", answer->key.kid);
		if (answer->key.pubkey != NULL) {
			struct bytes spki = pubkey_get_spki(answer->key.pubkey);
			setup->signing_spki = arena_bytes(setup->arena, spki.data, spki.len);
		}
	}
	(void)op_resume(setup->depd->ops, setup->op.id);
}

static enum op_result
step_find(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	const struct setup_key *key = &setup->keys[setup->key];
	const char *uri = arena_printf(setup->arena, "https://%s/keys/%s", key->host, key->name);
	setup->call = custody_port_key_get(
		setup->depd->custody, custody_service, uri, on_key, setup, &setup->err);
	return setup->call != 0 ? OP_WAIT : again(setup);
}

static enum op_result
step_create(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	const struct setup_key *key = &setup->keys[setup->key];
	if (setup->err.code == ERR_NONE)
		return OP_NEXT;
	if (setup->err.code != ERR_KEY_NOT_FOUND)
		return again(setup);
	err_clear(&setup->err);
	setup->call = custody_port_key_create(
		setup->depd->custody, key->host, key->name, key->kty, on_key, setup, &setup->err);
	return setup->call != 0 ? OP_WAIT : again(setup);
}

static enum op_result
step_created(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	if (setup->err.code != ERR_NONE)
		return again(setup);
	if (++setup->key < KEYS)
		op_next_is(op, step_find);
	return OP_NEXT;
}

/* ---- the service-managed policy ---- */

static void
on_made(void *ctx, struct generation_made *take_made, const struct err *err)
{
	struct organization_setup *setup = ctx;
	setup->made = take_made;
	if (take_made == NULL)
		setup->err = *err;
	(void)op_resume(setup->depd->ops, setup->op.id);
}

static enum op_result
step_policy(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	struct depd *depd = setup->depd;
	struct db_dep_policy policy;
	if (db_dep_policy_find(depd->db, DB_DEP_SERVICE, ORGANIZATION_SERVICE_POLICY, setup->arena,
		    &policy, &setup->err)) {
		setup->policy = policy.id;
		return OP_NEXT;
	}
	if (setup->err.code != ERR_POLICY_NOT_FOUND)
		return again(setup);
	err_clear(&setup->err);
	struct generation_wanted wanted = {
		.kind = DB_DEP_SERVICE,
		.number = 1,
		.keys = setup->roots,
		.signing_kid = setup->keys[0].kid,
	};
	char guid[ID_UUID_TEXT];
	random_uuid(guid);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct setup_key *key = &setup->keys[1 + i];
		policy_key_init(&setup->roots[i],
			arena_printf(setup->arena, "https://%s/keys/%s", key->host, key->name));
		memcpy(setup->roots[i].kid, key->kid, sizeof(key->kid));
	}
	if (!id_uuid_parse(guid, wanted.policy))
		abort(); /* we wrote it */
	generation_make_start(depd, &wanted, depd->options->daemon.change_timeout, &setup->making,
		on_made, setup);
	return OP_WAIT;
}

static bool
insert_policy(struct organization_setup *setup)
{
	struct db_dep_policy policy = {
		.kind = DB_DEP_SERVICE,
		.name = ORGANIZATION_SERVICE_POLICY,
		.description = "Covers what no policy of the organization covers.",
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = DB_DEP_OUTAGE_UNLIMITED,
		.uri = {setup->roots[0].uri, setup->roots[1].uri},
		.availability_kid = "",
		.created = setup->made->row.created,
	};
	memcpy(policy.guid, setup->made->identity.policy, sizeof(policy.guid));
	return db_dep_policy_insert(
		setup->depd->db, &policy, &setup->made->row, &setup->policy, &setup->err);
}

static enum op_result
step_record(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	struct depd *depd = setup->depd;
	const char *slots[TENANT_SLOTS];
	struct db_dep_organization organization = {
		.signing_kid = setup->keys[0].kid,
		.signing_spki = setup->signing_spki,
		.created = calendar_now_s(depd->calendar),
	};
	if (setup->err.code != ERR_NONE || (setup->policy == 0 && !insert_policy(setup)))
		return again(setup);
	(void)snprintf(organization.name, sizeof(organization.name), "%s",
		depd->options->daemon.organization);
	for (size_t i = 0; i < TENANT_SLOTS; i++)
		slots[i] = tenant_slots[i].name;
	if (!db_dep_organization_insert(
		    depd->db, &organization, setup->policy, slots, TENANT_SLOTS, &setup->err))
		return again(setup);
	geo_call_make_slots(depd);
	const struct log_field fields[] = {LOG_TEXT("organization", organization.name),
		LOG_TEXT("signing_key", organization.signing_kid)};
	log_write(LOG_LEVEL_INFO, "organization.ready", fields, ARRAY_LEN(fields));
	return OP_DONE;
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	op_set_deadline(op, 0);
	return why == OP_CANCEL_DEADLINE ? OP_NEXT : OP_DONE; /* the next start goes on */
}

static void
destroy(struct op *op)
{
	struct organization_setup *setup = setup_of(op);
	custody_port_cancel(setup->depd->custody, setup->call);
	generation_make_cancel(setup->depd, setup->making);
	generation_made_free(setup->made);
	arena_free(setup->arena);
	free(setup);
}

static const struct op_step steps[] = {
	{"begin",   step_begin  },
	{"find",    step_find   },
	{"create",  step_create },
	{"created", step_created},
	{"policy",  step_policy },
	{"record",  step_record },
};

static const struct op_type setup_type = {
	.name = "organization.setup",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

/* ---- at start, and later ---- */

bool
organization_start(struct depd *depd, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	const char *wanted = depd->options->daemon.organization;
	struct db_dep_organization organization;
	bool found;
	if (!db_dep_organization_get(depd->db, arena, &organization, &found, err))
		return false;
	if (found && strcmp(organization.name, wanted) != 0)
		return err_set(err, ERR_CONFIG,
			"The catalog is that of organization %s, the configuration says %s.",
			organization.name, wanted);
	if (found) {
		geo_call_make_slots(depd);
		return policy_undo_all(depd, err);
	}
	struct organization_setup *setup = calloc(1, sizeof(*setup));
	if (setup == NULL)
		abort();
	setup->depd = depd;
	setup->arena = arena_new();
	op_start(depd->ops, &setup_type, &setup->op, 0);
	return true;
}

bool
organization_get(const struct depd *depd, struct arena *arena,
	struct db_dep_organization *ret_organization, struct err *err)
{
	bool found;
	if (!db_dep_organization_get(depd->db, arena, ret_organization, &found, err))
		return false;
	return found || err_set(err, ERR_UNAVAILABLE,
				"The organization is not set up yet: the service's custody did not "
				"make its keys so far. See the log.");
}
