/*
 * What was damaged is made anew: the envelope under the same two versions of the customer keys, the availability wrap under the same
 * availability key, or under another one if it is lost. The DEP key stays what it is.
 *
 * Invariant: the new row is signed before it is stored, and takes the place of none but the one that was looked at.
 */
#include <string.h>

#include "base/log.h"
#include "db/db_dep_check.h"
#include "depd/generation_check_priv.h"

static void
on_opened(void *ctx, struct custody_answer *answer)
{
	struct generation_check *check = ctx;
	check->call = 0;
	check->err = answer->err;
	if (answer->secret != NULL && generation_check_key(check, answer->secret)) {
		check->key = answer->secret;
		answer->secret = NULL;
	} else if (check->err.code == ERR_NONE) {
		(void)err_set(&check->err, ERR_CATALOG_INTEGRITY, NULL);
	}
	generation_check_resume(check);
}

enum op_result
generation_repair_owners(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	CLEAN(buf)
	struct buf context = {0};
	if (!check->damaged && !check->rewrap)
		return generation_check_store(check);
	check->wanted_kid =
		check->lost ? check->policy.availability_kid : check->row.availability_kid;
	if (check->lost && strcmp(check->wanted_kid, check->row.availability_kid) == 0)
		check->wanted_kid = NULL;
	if (check->key != NULL)
		return OP_NEXT;
	generation_check_context(check, &context);
	check->call =
		custody_port_dual_unwrap(check->depd->custody, custody_port_as(check->policy.kind),
			check->row.envelope, buf_bytes(&context), on_opened, check, &check->err);
	return check->call != 0 ? OP_WAIT : generation_check_fail(check);
}

static void
on_made(void *ctx, struct generation_made *take_made, const struct err *err)
{
	struct generation_check *check = ctx;
	check->made = take_made;
	if (take_made == NULL)
		check->err = *err;
	generation_check_resume(check);
}

enum op_result
generation_repair_make(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	struct depd *depd = check->depd;
	if (check->err.code != ERR_NONE)
		return generation_check_fail(check);
	struct generation_wanted wanted = {
		.kind = check->policy.kind,
		.number = check->row.number,
		.keys = check->keys,
		.availability_kid = check->wanted_kid,
		.signing_kid = check->organization.signing_kid,
		.again = &check->row,
		.key = check->key,
		.keep_envelope = !check->damaged,
	};
	memcpy(wanted.policy, check->policy.guid, sizeof(wanted.policy));
	generation_make_start(depd, &wanted, depd->options->daemon.change_timeout, &check->making,
		on_made, check);
	return OP_WAIT;
}

/* What was repaired, as an act of the daemon. */
static void
tell_repaired(struct generation_check *check, const struct db_dep_generation *row)
{
	const char *detail = arena_printf(check->arena, "%s; %s%s%s; availability key %s",
		generation_check_name(check), check->damaged ? "envelope" : "",
		check->damaged && check->rewrap ? " and " : "",
		check->rewrap ? "availability wrap" : "", row->availability_kid);
	generation_check_record(check, "generation.repaired", detail);
	log_warning("generation.repaired", LOG_TEXT("policy", check->policy.name),
		LOG_INT("envelope", check->damaged), LOG_INT("availability_wrap", check->rewrap));
}

enum op_result
generation_repair_made(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	if (check->made == NULL && check->lost && check->wanted_kid != NULL) {
		err_clear(&check->err);
		check->wanted_kid = NULL; /* the policy's newer one is lost too */
		op_next_is(op, generation_repair_make);
		return OP_NEXT;
	}
	if (check->made == NULL)
		return generation_check_fail(check);
	struct db_dep_generation *row = &check->made->row;
	row->id = check->row.id;
	row->policy = check->row.policy;
	if (!db_dep_check_repair(check->depd->db, row, check->row.signature, &check->err))
		return generation_check_fail(check);
	tell_repaired(check, row);
	check->opened = check->damaged ? POLICY_KEYS : check->opened;
	check->tried = check->policy.kind != DB_DEP_SERVICE;
	check->falls = true;
	check->availability_code[0] = '\0';
	return generation_check_store(check);
}
