/* Lists of principals. Invariant: who is in a list was known to the system when it was read. */
#include "principals.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* One word of the list. */
static bool
add(struct principals *list, const char *word, size_t len, struct err *err)
{
	char text[PRINCIPAL_TEXT];
	if (list->count == PRINCIPALS_MAX)
		return err_set(
			err, ERR_CONFIG, "there are more than %d principals.", PRINCIPALS_MAX);
	if (len >= sizeof(text))
		return err_set(err, ERR_CONFIG, "a name is too long.");
	memcpy(text, word, len);
	text[len] = '\0';
	struct principals_entry entry = {.state = PRINCIPAL_OK};
	struct err cause = {0};
	if (!principal_parse(text, &entry.principal, &cause))
		return err_set(err, ERR_CONFIG, "%s", cause.message);
	if (entry.principal.kind == DB_PRINCIPAL_APPLICATION)
		return err_set(
			err, ERR_CONFIG, "only users and groups can be named, no application.");
	list->entries[list->count++] = entry;
	return true;
}

bool
principals_parse(const char *text, struct principals *ret_list, struct err *err)
{
	struct principals list = {
		.entries = calloc(PRINCIPALS_MAX, sizeof(*list.entries)),
		.overflow_uid = principal_overflow_uid(),
		.overflow_gid = principal_overflow_gid(),
	};
	if (list.entries == NULL)
		abort();
	for (const char *word = text + strspn(text, " \t"); *word != '\0';) {
		size_t len = strcspn(word, " \t");
		if (!add(&list, word, len, err)) {
			principals_clear(&list);
			return false;
		}
		word += len;
		word += strspn(word, " \t");
	}
	*ret_list = list;
	return true;
}

void
principals_clear(struct principals *list)
{
	free(list->entries);
	*list = (struct principals){0};
}

bool
principals_refresh_one(const struct principal *principal, enum principal_state *state)
{
	enum principal_state now = *state;
	if (!principal_check(principal, &now) || now == *state)
		return false;
	*state = now;
	char text[PRINCIPAL_TEXT];
	principal_format(principal, text);
	log_warning(now == PRINCIPAL_CHANGED ? "principal.changed" : "principal.back",
		LOG_TEXT("principal", text), LOG_INT("number", principal->number));
	return true;
}

bool
principals_refresh(struct principals *list)
{
	bool changed = false;
	for (size_t i = 0; i < list->count; i++)
		changed |= principals_refresh_one(
			&list->entries[i].principal, &list->entries[i].state);
	return changed;
}

static bool
meant(const struct principals *list, const struct principals_entry *entry,
	const struct caller *caller)
{
	return entry->state == PRINCIPAL_OK &&
	       principal_is(&entry->principal, caller, list->overflow_uid, list->overflow_gid);
}

bool
principals_has(const struct principals *list, const struct caller *caller)
{
	for (size_t i = 0; i < list->count && caller->application[0] == '\0'; i++)
		if (meant(list, &list->entries[i], caller))
			return true;
	return false;
}
