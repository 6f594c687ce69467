/* Invariant: one generation after the other, so that a policy of many does not crowd out who reads. */
#include "owners_word.h"

#include <string.h>

#include "depd/keytree.h"

static bool ask(struct owners_word *word);

static void
on_check(void *ctx, struct custody_answer *answer)
{
	struct owners_word *word = ctx;
	struct owners_word_item *item = &word->items[word->answered];
	word->number = 0;
	if (answer->unreachable || answer->attempt_count == 0) {
		(void)err_set(&word->err, ERR_UNAVAILABLE,
			"The key owners' custodyd says nothing of the keys of policy %s; try again "
			"later.",
			word->policy.name);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(item->attempts); i++)
			item->attempts[i] = custody_answer_attempt(answer, item->row->kid[i]);
		word->answered++;
	}
	if (word->err.code != ERR_NONE || word->answered == word->count || !ask(word))
		(void)op_resume(word->depd->ops, word->op);
}

static bool
ask(struct owners_word *word)
{
	const struct db_dep_generation *row = word->items[word->answered].row;
	struct keytree_generation identity = {
		.organization = word->depd->options->daemon.organization,
		.number = (uint64_t)row->number,
	};
	CLEAN(buf)
	struct buf context;
	buf_init(&context, ENVELOPE_CONTEXT_MAX);
	memcpy(identity.policy, word->policy.guid, KEYTREE_GUID_LEN);
	memcpy(identity.generation, row->guid, KEYTREE_GUID_LEN);
	keytree_envelope_context(&identity, &context);
	word->number =
		custody_port_dual_check(word->depd->custody, custody_port_as(word->policy.kind),
			row->envelope, buf_bytes(&context), on_check, word, &word->err);
	return word->number != 0;
}

static bool
select_needed(struct owners_word *word, const struct db_dep_generation *rows, size_t count,
	struct err *err)
{
	word->items = arena_array(word->arena, count, sizeof(*word->items));
	for (size_t i = 0; i < count; i++) {
		int64_t scopes;
		if (!db_dep_generation_scopes(word->depd->db, rows[i].id, &scopes, err))
			return false;
		if (scopes > 0 || rows[i].id == word->policy.current)
			word->items[word->count++] = (struct owners_word_item){.row = &rows[i]};
	}
	return true;
}

bool
owners_word_start(struct owners_word *word, struct depd *depd, uint64_t op,
	const struct db_dep_policy *policy, struct arena *arena, struct err *err)
{
	struct db_dep_generation *rows;
	size_t count;
	*word = (struct owners_word){.depd = depd, .op = op, .arena = arena, .policy = *policy};
	if (!db_dep_generation_list(depd->db, policy->id, arena, &rows, &count, err) ||
		!select_needed(word, rows, count, err))
		return false;
	if (ask(word))
		return true;
	*err = word->err;
	return false;
}

bool
owners_word_check_lost(const struct owners_word_item *item, const char *policy, struct err *err)
{
	for (size_t k = 0; k < ARRAY_LEN(item->attempts); k++)
		if (item->attempts[k].reason == DEP_DENIED)
			return err_set(err, ERR_ACCESS_DENIED,
				"The owner of %s denies it to policy %s (%s): it is revoked, not "
				"lost.",
				item->row->kid[k], policy, item->attempts[k].code);
	for (size_t k = 0; k < ARRAY_LEN(item->attempts); k++)
		if (item->attempts[k].reason != DEP_UNAVAILABLE)
			return err_set(err, ERR_KEYS_NOT_LOST,
				"%s still opens the DEP key of policy %s; nothing is to be "
				"recovered.",
				item->row->kid[k], policy);
	return true;
}

void
owners_word_cancel(struct owners_word *word)
{
	if (word->depd != NULL)
		custody_port_cancel(word->depd->custody, word->number);
	word->number = 0;
}
