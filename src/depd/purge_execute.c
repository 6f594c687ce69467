/*
 * The execution of a purge (dep-semantics §7), step by step:
 *
 *   load       how far it is
 *   begin      what was approved is what there is; the policy is purged, nothing of it is in memory
 *   erase      the keys of its scopes go, some at a time, then what its generations are wrapped in
 *   scrub      and the write-ahead log with them
 *   look       the next availability key, and what is known of it before it goes
 *   known      which is stored
 *   delete     it is deleted in the service's custody
 *   purge      and destroyed on its token
 *   verify     its custodyd must say that it was
 *   verified   which is stored
 *   certify    all that is stated, and signed
 *   certified  and stored
 *
 * Each step ends in the catalog before the next one begins, and stands in the audit before that: killed in between, it is recorded twice,
 * never not at all (threats G13). Nothing is certified that was only asked for (threats G15).
 */
#include "purge_execute.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/log.h"
#include "db/db_dep_erase.h"
#include "depd/approvers.h"
#include "depd/custody_port.h"
#include "depd/dep_opening.h"
#include "depd/generation_make.h"
#include "depd/purge_certificate.h"
#include "depd/purge_document.h"
#include "service/serve.h"

#define ERASE_IDS 4096 /* scopes' ids looked at in one transaction */
#define PAUSE_MS  5    /* between two, for everybody else */

struct purge_execute {
	struct op op; /* first */
	struct depd *depd;
	struct arena *arena;
	int64_t id;
	uint64_t *number;     /* set once it runs */
	purge_execute_fn *fn; /* NULL: was told, or nobody wants to know */
	void *ctx;
	struct db_dep_policy policy;
	struct db_dep_purge purge;
	int64_t erased, last; /* ids of scopes: done, and there are */
	struct db_dep_purge_key *keys;
	size_t key_count, key;
	struct kid name; /* of the key at hand */
	uint64_t call;
	struct custody_place place;
	struct purge_certificate certificate;
	struct err err;
};

static struct purge_execute *
execute_of(struct op *op)
{
	return (struct purge_execute *)op;
}

/* ---- ends ---- */

static enum op_result
end(struct purge_execute *execute, bool done)
{
	purge_execute_fn *fn = execute->fn;
	execute->fn = NULL;
	if (fn != NULL)
		fn(execute->ctx, done);
	return OP_DONE;
}

static enum op_result
fail(struct purge_execute *execute)
{
	depd_note(execute->depd, "purge.waits", &execute->err, execute->policy.name);
	return end(execute, false);
}

/* What is about to be done, or was found. */
static bool
record(struct purge_execute *execute, const char *operation, const char *detail)
{
	struct depd *depd = execute->depd;
	const struct audit_record entry = {
		.by_daemon = true,
		.operation = operation,
		.subject = execute->policy.name,
		.detail = detail,
		.catalog = db_generation(depd->db),
	};
	if (!audit_append(depd->audit, &entry, true, &execute->err))
		return false;
	serve_tell_head(depd->audit, depd->db);
	log_info(operation, LOG_TEXT("policy", execute->policy.name), LOG_TEXT("detail", detail));
	return true;
}

/* ---- load ---- */

static op_step_fn step_erase, step_scrub, step_look, step_delete, step_certify;

static enum op_result
step_load(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	struct db *db = execute->depd->db;
	bool found = false;
	*execute->number = op->id;
	if (!db_dep_policy_get(db, execute->id, execute->arena, &execute->policy, &execute->err) ||
		!db_dep_purge_get(
			db, execute->id, execute->arena, &execute->purge, &found, &execute->err) ||
		!db_dep_erase_last(db, &execute->last, &execute->err))
		return fail(execute);
	switch (execute->purge.phase) {
	case DB_DEP_PURGE_APPROVED:
		return OP_NEXT;
	case DB_DEP_PURGE_ERASING:
		op_next_is(op, step_erase);
		return OP_NEXT;
	case DB_DEP_PURGE_ERASED:
		op_next_is(op, step_scrub);
		return OP_NEXT;
	case DB_DEP_PURGE_DESTROYED:
		op_next_is(op, step_certify);
		return OP_NEXT;
	case DB_DEP_PURGE_REQUESTED:
	case DB_DEP_PURGE_CERTIFIED:
	case DB_DEP_PURGE_IRRECOVERABLE:
		break;
	}
	return end(execute, true); /* nothing to do: cancelled, or done */
}

/* ---- begin ---- */

/* Canonical JSON: quotes within a text are escaped, so this is the member and nothing else. */
static bool
says(struct purge_execute *execute, const char *member, const char *value)
{
	return strstr(execute->purge.document,
		       arena_printf(execute->arena, ",\"%s\":\"%s\"", member, value)) != NULL;
}

static bool
is_of_this(struct purge_execute *execute, const struct purge_mailboxes *mailboxes)
{
	char guid[ID_UUID_TEXT], digest[2 * HASH_SHA256_LEN + 1];
	id_uuid_format(execute->policy.guid, guid);
	hex_encode(mailboxes->digest, sizeof(mailboxes->digest), digest);
	return says(execute, "policy", guid) && says(execute, "mailboxDigest", digest) &&
	       says(execute, "organization", execute->depd->options->daemon.organization);
}

static bool
is_approval(struct purge_execute *execute, const struct db_dep_approval *approval,
	struct bytes authorities)
{
	size_t signer;
	CLEAN(certificate)
	struct certificate *certificate = certificate_parse(approval->certificate, &execute->err);
	const struct certificate *signers[] = {certificate};
	return certificate != NULL &&
	       certificate_verify(approval->signature, bytes_of_text(execute->purge.document),
		       signers, 1, authorities, approval->approved, &signer, &execute->err);
}

/* Rows can be edited: that it was approved is not taken from the phase but from the signatures (threats G10). */
static bool
is_signed_for(struct purge_execute *execute, const struct purge_mailboxes *mailboxes)
{
	struct depd *depd = execute->depd;
	struct db_dep_approval *approvals;
	size_t count;
	CLEAN(buf)
	struct buf authorities;
	buf_init(&authorities, APPROVERS_AUTHORITIES_MAX);
	if (!db_dep_purge_approvals(
		    depd->db, execute->id, execute->arena, &approvals, &count, &execute->err) ||
		!approvers_authorities(depd, &authorities, &execute->err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_approval(execute, &approvals[i], buf_bytes(&authorities)))
			return false;
	return (count > 0 && (int64_t)count >= execute->purge.needed &&
		       is_of_this(execute, mailboxes)) ||
	       err_set(&execute->err, ERR_CATALOG_INTEGRITY,
		       "The purge of policy %s was not approved as its row says.",
		       execute->policy.name);
}

/* The set of mailboxes cannot have changed since the approval; if it did, somebody edited the catalog. */
static bool
is_as_approved(struct purge_execute *execute)
{
	struct db *db = execute->depd->db;
	struct purge_mailboxes mailboxes;
	int64_t strays;
	if (!purge_document_mailboxes(db, &execute->policy, &mailboxes, &execute->err) ||
		!db_dep_purge_strays(db, execute->id, mailboxes.slot, &strays, &execute->err) ||
		!is_signed_for(execute, &mailboxes))
		return false;
	return (strays == 0 && memcmp(mailboxes.digest, execute->purge.names,
				       sizeof(execute->purge.names)) == 0) ||
	       err_set(&execute->err, ERR_CATALOG_INTEGRITY,
		       "The mailboxes under policy %s are not those whose purge was approved.",
		       execute->policy.name);
}

static bool
forget(struct purge_execute *execute)
{
	struct db_dep_generation *generations;
	size_t count;
	if (!db_dep_generation_list(execute->depd->db, execute->id, execute->arena, &generations,
		    &count, &execute->err))
		return false;
	for (size_t i = 0; i < count; i++)
		dep_opener_forget(execute->depd->opener, generations[i].id);
	return true;
}

static enum op_result
step_begin(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	struct depd *depd = execute->depd;
	const char *detail =
		arena_printf(execute->arena, "%lld mailboxes", (long long)execute->purge.mailboxes);
	bool begun = is_as_approved(execute) && record(execute, "purge.begun", detail) &&
		     db_dep_erase_begin(depd->db, execute->id, calendar_now_s(depd->calendar),
			     &execute->err) &&
		     forget(execute);
	return begun ? OP_NEXT : fail(execute);
}

/* ---- erase ---- */

static enum op_result
step_erase(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	struct depd *depd = execute->depd;
	int64_t count;
	op_set_deadline(op, 0);
	if (execute->erased < execute->last) {
		int64_t upto = execute->erased + ERASE_IDS;
		if (!db_dep_erase_scopes(depd->db, execute->id, execute->erased, upto,
			    calendar_now_s(depd->calendar), &execute->err))
			return fail(execute);
		execute->erased = upto;
		op_next_is(op, step_erase);
		op_set_deadline(op, PAUSE_MS);
		return OP_WAIT;
	}
	bool erased = db_dep_erase_count(depd->db, execute->id, &count, &execute->err) &&
		      record(execute, "purge.erased",
			      arena_printf(execute->arena, "%lld mailboxes", (long long)count)) &&
		      db_dep_erase_end(depd->db, execute->id, &execute->err);
	return erased ? OP_NEXT : fail(execute);
}

static enum op_result
step_scrub(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	return db_scrub(execute->depd->db, &execute->err) ? OP_NEXT : fail(execute);
}

/* ---- the availability keys ---- */

static void
on_answer(void *ctx, struct custody_answer *answer)
{
	struct purge_execute *execute = ctx;
	execute->call = 0;
	execute->err = answer->err;
	execute->place = answer->place;
	(void)op_resume(execute->depd->ops, execute->op.id);
}

static enum op_result
asked(struct purge_execute *execute, uint64_t call)
{
	execute->call = call;
	return call != 0 ? OP_WAIT : fail(execute);
}

/* Rows can be edited: no key is destroyed but that which was made for this policy. */
static bool
is_of_policy(struct purge_execute *execute, const char *kid)
{
	char name[GENERATION_AVAILABILITY_NAME];
	generation_availability_name(execute->policy.guid, name);
	return (kid_parse(kid, &execute->name) && strcmp(execute->name.name, name) == 0 &&
		       strcmp(execute->name.host,
			       generation_availability_host(execute->depd, execute->arena)) == 0) ||
	       err_set(&execute->err, ERR_CATALOG_INTEGRITY,
		       "The key %s is not the availability key of policy %s.", kid,
		       execute->policy.name);
}

static enum op_result
step_look(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	struct depd *depd = execute->depd;
	if (!db_dep_erase_keys(depd->db, execute->id, execute->arena, &execute->keys,
		    &execute->key_count, &execute->err))
		return fail(execute);
	for (execute->key = 0; execute->key < execute->key_count; execute->key++)
		if (execute->keys[execute->key].destroyed == 0)
			break;
	if (execute->key == execute->key_count) {
		if (!db_dep_erase_destroyed(depd->db, execute->id, &execute->err))
			return fail(execute);
		op_next_is(op, step_certify);
		return OP_NEXT;
	}
	const struct db_dep_purge_key *key = &execute->keys[execute->key];
	if (!is_of_policy(execute, key->kid))
		return fail(execute);
	if (key->known) {
		op_next_is(op, step_delete);
		return OP_NEXT;
	}
	return asked(execute, custody_port_place(depd->custody, custody_service, key->kid,
				      on_answer, execute, &execute->err));
}

/* Of what is deleted or gone already nothing can be said but that, and the worst is assumed. */
static enum op_result
step_known(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	enum err_code code = execute->err.code;
	struct db_dep_purge_key *key = &execute->keys[execute->key];
	if (code != ERR_NONE && code != ERR_KEY_NOT_FOUND && code != ERR_KEY_DELETED)
		return fail(execute);
	if (code == ERR_NONE && !execute->place.purged) {
		key->hardware = execute->place.hardware;
		key->never_extractable = execute->place.never_extractable;
	}
	key->token = code == ERR_NONE ? execute->place.token : "";
	err_clear(&execute->err);
	return db_dep_erase_key_known(execute->depd->db, execute->id, key, &execute->err)
		       ? OP_NEXT
		       : fail(execute);
}

static enum op_result
step_delete(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	return asked(execute, custody_port_key_delete(execute->depd->custody, execute->name.host,
				      execute->name.name, on_answer, execute, &execute->err));
}

static bool
is_gone(const struct err *err)
{
	return err->code == ERR_NONE || err->code == ERR_KEY_NOT_FOUND ||
	       err->code == ERR_KEY_DELETED;
}

static enum op_result
step_purge(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	if (!is_gone(&execute->err))
		return fail(execute);
	err_clear(&execute->err);
	return asked(execute, custody_port_key_purge(execute->depd->custody, execute->name.host,
				      execute->name.name, on_answer, execute, &execute->err));
}

static enum op_result
step_verify(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	if (!is_gone(&execute->err))
		return fail(execute);
	err_clear(&execute->err);
	return asked(execute,
		custody_port_place(execute->depd->custody, custody_service,
			execute->keys[execute->key].kid, on_answer, execute, &execute->err));
}

static enum op_result
step_verified(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	struct depd *depd = execute->depd;
	const char *kid = execute->keys[execute->key].kid;
	if (execute->err.code == ERR_NONE && !execute->place.purged)
		(void)err_set(&execute->err, ERR_UNAVAILABLE,
			"The service's custody does not say that the key %s was purged.", kid);
	if (execute->err.code != ERR_NONE || !record(execute, "purge.key-destroyed", kid) ||
		!db_dep_erase_key_destroyed(
			depd->db, execute->id, kid, calendar_now_s(depd->calendar), &execute->err))
		return fail(execute);
	op_next_is(op, step_look);
	return OP_NEXT;
}

/* ---- the certificate ---- */

static void
on_signed(void *ctx, struct custody_answer *answer)
{
	struct purge_execute *execute = ctx;
	purge_certificate_take(&execute->certificate, answer, &execute->err);
	(void)op_resume(execute->depd->ops, execute->op.id);
}

static enum op_result
step_certify(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	return purge_certificate_start(&execute->certificate, execute->depd, execute->arena,
		       &execute->policy, &execute->purge, NULL, on_signed, execute, &execute->err)
		       ? OP_WAIT
		       : fail(execute);
}

static enum op_result
step_certified(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	const struct db_dep_certificate *row = &execute->certificate.row;
	if (execute->err.code != ERR_NONE)
		return fail(execute);
	const char *digest = purge_certificate_digest(row->certificate, execute->arena);
	if (!record(execute, "purge.certified",
		    arena_printf(execute->arena, "certificate sha256 %s", digest)) ||
		!db_dep_erase_certify(execute->depd->db, execute->id, row, &execute->err))
		return fail(execute);
	return end(execute, true);
}

/* ---- the operation ---- */

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	op_set_deadline(op, 0);
	if (why == OP_CANCEL_DEADLINE)
		return OP_NEXT;
	return end(execute_of(op), false); /* the next start goes on */
}

static void
destroy(struct op *op)
{
	struct purge_execute *execute = execute_of(op);
	custody_port_cancel(execute->depd->custody, execute->call);
	purge_certificate_clear(&execute->certificate);
	arena_free(execute->arena);
	free(execute);
}

static const struct op_step steps[] = {
	{"load",      step_load     },
	{"begin",     step_begin    },
	{"erase",     step_erase    },
	{"scrub",     step_scrub    },
	{"look",      step_look     },
	{"known",     step_known    },
	{"delete",    step_delete   },
	{"purge",     step_purge    },
	{"verify",    step_verify   },
	{"verified",  step_verified },
	{"certify",   step_certify  },
	{"certified", step_certified},
};

static const struct op_type execute_type = {
	.name = "purge.execute",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

void
purge_execute_start(
	struct depd *depd, int64_t policy, uint64_t *number, purge_execute_fn *fn, void *ctx)
{
	struct purge_execute *execute = calloc(1, sizeof(*execute));
	if (execute == NULL)
		abort();
	execute->depd = depd;
	execute->arena = arena_new();
	execute->id = policy;
	execute->number = number;
	execute->fn = fn;
	execute->ctx = ctx;
	op_start(depd->ops, &execute_type, &execute->op, 0);
}

void
purge_execute_cancel(struct depd *depd, uint64_t number)
{
	struct op *op = number != 0 ? op_find(depd->ops, number) : NULL;
	if (op == NULL)
		return;
	execute_of(op)->fn = NULL;
	(void)op_cancel(depd->ops, number, OP_CANCEL_CLIENT);
}
