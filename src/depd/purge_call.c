/* Invariant: what is shown of a purge is what the catalog has at that moment. */
#include "purge_call.h"

#include <string.h>

#include "api/dep_purge.h"
#include "base/b64.h"
#include "base/id.h"
#include "db/db_dep_erase.h"
#include "db/db_dep_scope.h"
#include "depd/approvers.h"
#include "depd/organization.h"

#define MAILBOX_SLOTS "mailbox/"

bool
purge_call_find(struct purge_call *call)
{
	struct policy_call *policy = &call->policy;
	struct dep_call *base = &policy->call;
	struct db *db = base->depd->db;
	if (!policy_call_find(policy, false) ||
		!organization_get(base->depd, base->arena, &policy->organization, &base->err))
		return false;
	if (policy->policy.kind != DB_DEP_MAILBOX)
		return err_set(&base->err, ERR_PURGE_NOT_SUPPORTED,
			"Policy %s is not purged, " PURGE_INSTEAD, policy->policy.name);
	return db_dep_purge_get(db, policy->policy.id, base->arena, &call->purge, &call->found,
		       &base->err) &&
	       purge_document_mailboxes(db, &policy->policy, &call->mailboxes, &base->err);
}

bool
purge_call_open(struct purge_call *call)
{
	struct err *err = &call->policy.call.err;
	if (!call->found)
		return err_set(err, ERR_PURGE_NOT_REQUESTED, NULL);
	return call->purge.phase == DB_DEP_PURGE_REQUESTED ||
	       err_set(err, ERR_PURGE_APPROVED, NULL);
}

/* ---- answers ---- */

static bool
view_other(struct dep_call *call, const struct db_dep_slot *slot,
	struct api_dep_purge_other *ret_other)
{
	struct db *db = call->depd->db;
	struct db_dep_policy policy;
	struct db_dep_count *counts;
	size_t count;
	if (!db_dep_policy_get(db, slot->policy, call->arena, &policy, &call->err) ||
		!db_dep_slot_counts(db, slot->id, call->arena, &counts, &count, &call->err))
		return false;
	*ret_other = (struct api_dep_purge_other){.policy = arena_strdup(call->arena, policy.name)};
	for (size_t i = 0; i < count; i++)
		ret_other->mailboxes += counts[i].count;
	return true;
}

/* Mailboxes elsewhere: the path is for who leaves the service, not for some of them. */
static bool
view_others(struct purge_call *call, struct api_dep_purge *view)
{
	struct dep_call *base = &call->policy.call;
	struct db_dep_slot *slots;
	size_t count;
	if (!db_dep_slot_list(base->depd->db, base->arena, &slots, &count, &base->err))
		return false;
	struct api_dep_purge_other *others = arena_array(base->arena, count, sizeof(*others));
	for (size_t i = 0; i < count; i++) {
		if (slots[i].id == call->mailboxes.slot ||
			strncmp(slots[i].name, MAILBOX_SLOTS, sizeof(MAILBOX_SLOTS) - 1) != 0)
			continue;
		if (!view_other(base, &slots[i], &others[view->other_count]))
			return false;
		if (others[view->other_count].mailboxes > 0)
			view->other_count++;
	}
	view->others = others;
	return true;
}

static bool
view_approvals(struct purge_call *call, struct api_dep_purge *view)
{
	struct dep_call *base = &call->policy.call;
	struct db_dep_approval *approvals;
	size_t count;
	if (!db_dep_purge_approvals(base->depd->db, call->purge.policy, base->arena, &approvals,
		    &count, &base->err))
		return false;
	struct api_dep_approver *views = arena_array(base->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++) {
		CLEAN(certificate)
		struct certificate *certificate =
			certificate_parse(approvals[i].certificate, &base->err);
		if (certificate == NULL)
			return err_set(&base->err, ERR_CATALOG_INTEGRITY, NULL);
		views[i] = approvers_view(
			base->depd, approvals[i].approver, certificate, 0, base->arena);
		views[i].approved = approvals[i].approved;
	}
	view->approvals = views;
	view->approval_count = count;
	return true;
}

struct words {
	const char *state, *step;
};

static struct words
words_of(enum db_dep_purge_phase phase)
{
	static const struct words words[] = {
		[DB_DEP_PURGE_REQUESTED] = {"PurgeRequested", "approval"     },
		[DB_DEP_PURGE_APPROVED] = {"PurgeApproved",  "waiting"      },
		[DB_DEP_PURGE_ERASING] = {"PurgeApproved",  "erasing"      },
		[DB_DEP_PURGE_ERASED] = {"PurgeApproved",  "destroying"   },
		[DB_DEP_PURGE_DESTROYED] = {"PurgeApproved",  "certifying"   },
		[DB_DEP_PURGE_CERTIFIED] = {"Purged",         "certified"    },
		[DB_DEP_PURGE_IRRECOVERABLE] = {"Purged",         "irrecoverable"},
	};
	return words[phase];
}

bool
purge_call_answer(struct purge_call *call)
{
	struct dep_call *base = &call->policy.call;
	const struct db_dep_purge *purge = &call->purge;
	const struct db_dep_policy *policy = &call->policy.policy;
	char guid[ID_UUID_TEXT], sha256[2 * HASH_SHA256_LEN + 1];
	uint8_t digest[HASH_SHA256_LEN];
	int64_t erased;
	id_uuid_format(policy->guid, guid);
	if (!db_dep_purge_get(base->depd->db, policy->id, base->arena, &call->purge, &call->found,
		    &base->err))
		return false;
	if (!call->found) {
		api_dep_purge_none_format(guid, policy->name, &base->body);
		return true;
	}
	if (!db_dep_erase_count(base->depd->db, policy->id, &erased, &base->err))
		return false;
	hash_sha256(purge->document, strlen(purge->document), digest);
	hex_encode(digest, sizeof(digest), sha256);
	struct words words = words_of(purge->phase);
	struct api_dep_purge view = {
		.policy = guid,
		.name = policy->name,
		.state = words.state,
		.step = words.step,
		.document = purge->document,
		.sha256 = sha256,
		.is_void = memcmp(purge->names, call->mailboxes.digest, sizeof(purge->names)) != 0,
		.mailboxes = purge->mailboxes,
		.requested = purge->requested,
		.due = purge->due,
		.erased = erased,
		.needed = purge->needed,
	};
	if (!view_approvals(call, &view) || !view_others(call, &view))
		return false;
	api_dep_purge_format(&view, &base->body);
	return true;
}
