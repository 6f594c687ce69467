/* Invariant: a key counts as denied only for a word that the table of denials has; whatever else comes is an outage. */
#include "depd/custody_port_priv.h"

#include <stdio.h>
#include <string.h>

/* Whatever the owner can have meant by "no": permission, state. Nothing else is a denial (threats G3, G4). */
static const enum err_code denials[] = {
	ERR_FORBIDDEN,
	ERR_ACCESS_DENIED,
	ERR_KEY_DISABLED,
	ERR_KEY_DELETED,
	ERR_KEY_PURGED,
	ERR_KEY_OPERATION_FORBIDDEN,
};

static bool
is_denial(const struct api_told_attempt *told)
{
	enum err_code code = err_find(told->code);
	for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
		if (code == denials[i])
			return strcmp(told->outcome, err_class_name(ERR_CLASS_DENIED)) == 0;
	}
	return false;
}

static bool
is_outage(const struct api_told_attempt *told)
{
	enum err_code code = err_find(told->code);
	return code != ERR_NONE && err_class(code) == ERR_CLASS_UNAVAILABLE &&
	       strcmp(told->outcome, err_class_name(ERR_CLASS_UNAVAILABLE)) == 0;
}

static void
put_attempt(struct custody_answer *answer, const char *kid, enum dep_reason reason,
	const char *code, bool strange)
{
	struct custody_attempt *attempt = &answer->attempts[answer->attempt_count++];
	*attempt = (struct custody_attempt){.reason = reason, .strange = strange};
	(void)snprintf(attempt->kid, sizeof(attempt->kid), "%s", kid);
	(void)snprintf(attempt->code, sizeof(attempt->code), "%s", code);
}

void
port_put_attempts(struct custody_answer *answer, const struct api_told_attempts *told)
{
	for (size_t i = 0; i < told->count; i++) {
		const struct api_told_attempt *item = &told->items[i];
		if (strcmp(item->outcome, "opened") == 0)
			put_attempt(answer, item->kid, DEP_OPENED, "", false);
		else if (is_denial(item))
			put_attempt(answer, item->kid, DEP_DENIED, item->code, false);
		else
			put_attempt(answer, item->kid, DEP_UNAVAILABLE,
				item->code[0] != '\0' ? item->code : item->outcome,
				!is_outage(item));
	}
}

/*
 * Nothing opened. What custodyd said of each key stands in the attempts; that a half is bad it says without them (400). An answer
 * that says nothing of the keys is no word of their owners: as if there had been none.
 */
void
port_put_unopened(const struct port_call *call, int status, bool has_attempts,
	const struct api_told_attempts *attempts, struct custody_answer *told)
{
	if (status == 400 && !has_attempts) {
		for (size_t i = 0; i < call->kid_count; i++)
			put_attempt(told, call->kids[i], DEP_UNAVAILABLE,
				err_name(ERR_BAD_CIPHERTEXT), true);
	} else if ((status == 403 || status == 503) && has_attempts) {
		port_put_attempts(told, attempts);
	} else {
		told->unreachable = true;
	}
}

struct custody_attempt
custody_answer_attempt(const struct custody_answer *answer, const char *kid)
{
	struct custody_attempt found = {.reason = DEP_NOT_TOLD};
	size_t told = 0;
	for (size_t i = 0; i < answer->attempt_count; i++) {
		if (strcmp(answer->attempts[i].kid, kid) != 0)
			continue;
		bool strange = found.strange || answer->attempts[i].strange;
		found = answer->attempts[i];
		found.strange = strange;
		told++;
	}
	if (told > 1)
		found.reason = DEP_UNAVAILABLE;
	return found;
}

const char *
dep_reason_name(enum dep_reason reason)
{
	static const char *const names[] = {
		[DEP_NOT_TOLD] = "not asked",
		[DEP_OPENED] = "opened",
		[DEP_DENIED] = "denied",
		[DEP_UNAVAILABLE] = "unavailable",
	};
	return names[reason];
}
