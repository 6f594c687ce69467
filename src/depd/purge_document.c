/* Invariant: whoever has the same mailboxes, in whatever order they were registered, has the same digest. */
#include "purge_document.h"

#include <string.h>

#include "api/dep_purge.h"
#include "base/b64.h"
#include "base/id.h"
#include "crypto/random.h"
#include "db/db_dep_purge.h"
#include "db/db_dep_scope.h"

struct names {
	struct hash_state *state;
	int64_t count;
};

static void
add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	hash_update(names->state, name, strlen(name));
	hash_update(names->state, "\n", 1);
	names->count++;
}

bool
purge_document_mailboxes(struct db *db, const struct db_dep_policy *policy,
	struct purge_mailboxes *ret_mailboxes, struct err *err)
{
	char name[DB_DEP_SLOT_SIZE];
	struct db_dep_slot slot;
	CLEAN(hash)
	struct hash_state *state = hash_new(HASH_SHA256);
	struct names names = {.state = state};
	db_dep_slot_of_policy(policy->guid, name);
	if (!db_dep_slot_find(db, name, &slot, err) ||
		!db_dep_purge_names(db, slot.id, add_name, &names, err))
		return false;
	*ret_mailboxes = (struct purge_mailboxes){.slot = slot.id, .count = names.count};
	hash_finish(state, ret_mailboxes->digest);
	return true;
}

const char *
purge_document_make(struct policy_call *call, const struct purge_mailboxes *mailboxes,
	const char *reason, const char *contact, int64_t now_s)
{
	struct dep_call *base = &call->call;
	struct api_dep_policy view;
	uint8_t nonce[PURGE_NONCE_LEN];
	char nonce_text[2 * PURGE_NONCE_LEN + 1], digest[2 * HASH_SHA256_LEN + 1];
	CLEAN(buf)
	struct buf text;
	buf_init(&text, DB_DEP_DOCUMENT_MAX);
	if (!policy_call_view(call, &call->policy, SIZE_MAX, &view))
		return NULL;
	random_bytes(nonce, sizeof(nonce));
	hex_encode(nonce, sizeof(nonce), nonce_text);
	hex_encode(mailboxes->digest, sizeof(mailboxes->digest), digest);
	const struct api_dep_document document = {
		.organization = call->organization.name,
		.policy = view.id,
		.name = view.name,
		.generations = view.generations,
		.generation_count = view.generation_count,
		.mailboxes = mailboxes->count,
		.mailbox_digest = digest,
		.reason = reason,
		.contact = contact,
		.requested = now_s,
		.nonce = nonce_text,
	};
	api_dep_document_format(&document, &text);
	if (text.overflow) {
		(void)err_set(&base->err, ERR_TOO_LARGE,
			"The policy has more generations than a document can name.");
		return NULL;
	}
	return arena_strndup(base->arena, buf_peek(&text), text.len);
}
