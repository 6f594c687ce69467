/*
 * Permissions in memory. Invariant: what is in memory is what the catalog holds, and an entry whose number has another
 * name than it was granted to grants nothing.
 */
#include "access.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "db/db_vault.h"
#include "service/principals.h"

#define ADMINISTRATORS_MAX 256

static_assert(
	PERMISSION_COUNT < 31, "a permission is a bit of 32, the catalog's number is positive");

static const char *const words[PERMISSION_COUNT] = {
#define PERMISSION(symbol, word, help) [PERMISSION_##symbol] = (word),
#include "perm.tbl"
};

/* Entries of one vault; the array of vaults is ordered by id. */
struct vault {
	int64_t id;
	struct access_entry *entries;
	size_t count;
};

struct application {
	struct access_application text;
	enum principal_state state;
};

struct access {
	struct db *db;
	struct vault *vaults;
	size_t vault_count;
	struct access_entry *administrators; /* permissions unused */
	size_t administrator_count;
	struct application *applications;
	size_t application_count;
	uid_t overflow_uid;
	gid_t overflow_gid;
};

const char *
permission_word(enum permission permission)
{
	assert(permission < PERMISSION_COUNT);
	return words[permission];
}

bool
permission_parse(const char *word, uint32_t *ret_bits)
{
	if (strcasecmp(word, "all") == 0) {
		*ret_bits = PERMISSION_ALL;
		return true;
	}
	for (unsigned i = 0; i < PERMISSION_COUNT; i++) {
		if (strcasecmp(word, words[i]) == 0) {
			*ret_bits = UINT32_C(1) << i;
			return true;
		}
	}
	return false;
}

static void *
grow(void *array, size_t count, size_t size)
{
	void *grown = reallocarray(array, count + 1, size);
	if (grown == NULL)
		abort();
	return grown;
}

/* At load nothing is known of before: who cannot be checked is not let in. */
static enum principal_state
first_state(const struct principal *principal)
{
	enum principal_state state;
	return principal_check(principal, &state) ? state : PRINCIPAL_CHANGED;
}

/* Place of a vault, or where it would be. */
static size_t
vault_place(const struct vault *vaults, size_t count, int64_t id)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vaults[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct vault *
find_vault(const struct access *access, int64_t id)
{
	size_t place = vault_place(access->vaults, access->vault_count, id);
	bool found = place < access->vault_count && access->vaults[place].id == id;
	return found ? &access->vaults[place] : NULL;
}

static struct vault *
vault_add(struct access *access, int64_t id)
{
	struct vault *found = find_vault(access, id);
	if (found != NULL)
		return found;
	size_t place = vault_place(access->vaults, access->vault_count, id);
	access->vaults = grow(access->vaults, access->vault_count, sizeof *access->vaults);
	memmove(&access->vaults[place + 1], &access->vaults[place],
		(access->vault_count - place) * sizeof *access->vaults);
	access->vaults[place] = (struct vault){.id = id};
	access->vault_count++;
	return &access->vaults[place];
}

static void
vault_append(struct vault *vault, const struct access_entry *entry)
{
	vault->entries = grow(vault->entries, vault->count, sizeof *vault->entries);
	vault->entries[vault->count++] = *entry;
}

static void
free_vaults(struct vault *vaults, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(vaults[i].entries);
	free(vaults);
}

bool
access_reload(struct access *access, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_policy *policies;
	size_t count;
	if (!db_policy_list(access->db, 0, arena, &policies, &count, err))
		return false;
	free_vaults(access->vaults, access->vault_count);
	access->vaults = NULL;
	access->vault_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct access_entry entry = {
			.permissions = policies[i].permissions & PERMISSION_ALL};
		entry.principal.kind = policies[i].kind;
		entry.principal.number = policies[i].number;
		memcpy(entry.principal.name, policies[i].name, sizeof entry.principal.name);
		entry.state = first_state(&entry.principal);
		vault_append(vault_add(access, policies[i].vault), &entry);
	}
	return true;
}

struct access *
access_new(struct db *db, struct err *err)
{
	struct access *access = calloc(1, sizeof *access);
	if (access == NULL)
		abort();
	access->db = db;
	access->overflow_uid = principal_overflow_uid();
	access->overflow_gid = principal_overflow_gid();
	if (!access_reload(access, err)) {
		access_free(access);
		return NULL;
	}
	return access;
}

void
access_free(struct access *access)
{
	if (access == NULL)
		return;
	free_vaults(access->vaults, access->vault_count);
	free(access->administrators);
	free(access->applications);
	free(access);
}

/* One word of the list of administrators. */
static bool
add_administrator(
	const char *word, size_t len, struct access_entry *entries, size_t *count, struct err *err)
{
	char text[PRINCIPAL_TEXT];
	if (len >= sizeof text || *count == ADMINISTRATORS_MAX)
		return err_set(err, ERR_CONFIG, "There are too many administrators.");
	memcpy(text, word, len);
	text[len] = '\0';
	struct access_entry entry = {.state = PRINCIPAL_OK};
	struct err cause;
	if (!principal_parse(text, &entry.principal, &cause))
		return err_set(err, ERR_CONFIG, "%s", cause.message);
	if (entry.principal.kind == DB_PRINCIPAL_APPLICATION)
		return err_set(err, ERR_CONFIG, "An application cannot be an administrator.");
	entries[(*count)++] = entry;
	return true;
}

static bool
parse_administrators(
	const char *text, struct access_entry *entries, size_t *ret_count, struct err *err)
{
	size_t count = 0;
	for (const char *word = text + strspn(text, " \t"); *word != '\0';) {
		size_t len = strcspn(word, " \t");
		if (!add_administrator(word, len, entries, &count, err))
			return false;
		word += len;
		word += strspn(word, " \t");
	}
	*ret_count = count;
	return true;
}

bool
access_check_administrators(const char *administrators, struct err *err)
{
	struct access_entry *entries = calloc(ADMINISTRATORS_MAX, sizeof *entries);
	if (entries == NULL)
		abort();
	size_t count;
	bool good = parse_administrators(administrators, entries, &count, err);
	free(entries);
	return good;
}

static bool
check_applications(const struct access_application *applications, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(applications[i].guid, applications[j].guid) == 0)
				return err_set(err, ERR_CONFIG, "[application %s] stands twice.",
					applications[i].guid);
	return true;
}

bool
access_configure(struct access *access, const char *administrators,
	const struct access_application *applications, size_t count, struct err *err)
{
	struct access_entry *entries = calloc(ADMINISTRATORS_MAX, sizeof *entries);
	struct application *copies = calloc(count + 1, sizeof *copies);
	if (entries == NULL || copies == NULL)
		abort();
	size_t administrator_count;
	if (!parse_administrators(administrators, entries, &administrator_count, err) ||
		!check_applications(applications, count, err)) {
		free(entries);
		free(copies);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		copies[i] =
			(struct application){applications[i], first_state(&applications[i].user)};
	free(access->administrators);
	free(access->applications);
	access->administrators = entries;
	access->administrator_count = administrator_count;
	access->applications = copies;
	access->application_count = count;
	return true;
}

bool
access_refresh(struct access *access)
{
	bool changed = false;
	for (size_t i = 0; i < access->vault_count; i++)
		for (size_t j = 0; j < access->vaults[i].count; j++) {
			struct access_entry *entry = &access->vaults[i].entries[j];
			changed |= principals_refresh_one(&entry->principal, &entry->state);
		}
	for (size_t i = 0; i < access->administrator_count; i++) {
		struct access_entry *entry = &access->administrators[i];
		changed |= principals_refresh_one(&entry->principal, &entry->state);
	}
	for (size_t i = 0; i < access->application_count; i++) {
		struct application *application = &access->applications[i];
		changed |= principals_refresh_one(&application->text.user, &application->state);
	}
	return changed;
}

static const struct application *
application_find(const struct access *access, const char *guid)
{
	for (size_t i = 0; i < access->application_count; i++)
		if (strcmp(access->applications[i].text.guid, guid) == 0)
			return &access->applications[i];
	return NULL;
}

bool
access_choose_application(
	const struct access *access, const char *header, struct caller *caller, struct err *err)
{
	if (header == NULL || header[0] == '\0') {
		caller->application[0] = '\0';
		return true;
	}
	char folded[ID_UUID_TEXT] = "";
	if (id_uuid_valid(header))
		id_fold(header, folded);
	const struct application *application = application_find(access, folded);
	if (application == NULL || application->state != PRINCIPAL_OK ||
		application->text.user.number != (int64_t)caller->uid ||
		caller->uid == access->overflow_uid)
		return err_set(err, ERR_ACCESS_DENIED,
			"The caller's user is not registered for this application.");
	memcpy(caller->application, folded, sizeof folded);
	return true;
}

const char *
access_application_name(const struct access *access, const char *guid)
{
	const struct application *application = application_find(access, guid);
	return application == NULL ? "" : application->text.name;
}

/* Whether what is granted to `entry` is granted to `caller`. */
static bool
meant(const struct access *access, const struct access_entry *entry, const struct caller *caller)
{
	if (entry->state != PRINCIPAL_OK)
		return false;
	const struct principal *principal = &entry->principal;
	if (caller->application[0] != '\0')
		return principal->kind == DB_PRINCIPAL_APPLICATION &&
		       strcmp(principal->name, caller->application) == 0;
	return principal_is(principal, caller, access->overflow_uid, access->overflow_gid);
}

bool
access_is_administrator(const struct access *access, const struct caller *caller)
{
	for (size_t i = 0; i < access->administrator_count; i++)
		if (meant(access, &access->administrators[i], caller))
			return true;
	return false;
}

uint32_t
access_permissions(const struct access *access, const struct caller *caller, int64_t id)
{
	const struct vault *vault = find_vault(access, id);
	uint32_t bits = 0;
	for (size_t i = 0; vault != NULL && i < vault->count; i++)
		if (meant(access, &vault->entries[i], caller))
			bits |= vault->entries[i].permissions;
	return bits;
}

bool
access_allows(const struct access *access, const struct caller *caller, int64_t vault,
	enum permission permission)
{
	return (access_permissions(access, caller, vault) & PERMISSION_BIT(permission)) != 0;
}

bool
access_check(const struct access *access, const struct caller *caller, int64_t vault,
	enum permission permission, struct err *err)
{
	if (access_allows(access, caller, vault, permission))
		return true;
	return err_set(err, ERR_FORBIDDEN,
		"The caller does not have the permission '%s' on this vault.", words[permission]);
}

static struct access_entry *
entry_find(struct vault *vault, const struct principal *principal)
{
	for (size_t i = 0; vault != NULL && i < vault->count; i++) {
		const struct principal *other = &vault->entries[i].principal;
		if (other->kind == principal->kind && other->number == principal->number &&
			strcmp(other->name, principal->name) == 0)
			return &vault->entries[i];
	}
	return NULL;
}

static void
entry_remove(struct vault *vault, struct access_entry *entry)
{
	size_t place = (size_t)(entry - vault->entries);
	memmove(entry, entry + 1, (vault->count - place - 1) * sizeof *entry);
	vault->count--;
}

static bool
store(struct access *access, int64_t vault, const struct principal *principal, uint32_t permissions,
	int64_t now_s, struct err *err)
{
	struct db_policy policy = {.vault = vault,
		.kind = principal->kind,
		.number = principal->number,
		.permissions = permissions};
	memcpy(policy.name, principal->name, sizeof policy.name);
	if (permissions == 0)
		return db_policy_delete(access->db, &policy, now_s, err);
	return db_policy_set(access->db, &policy, now_s, err);
}

bool
access_set(struct access *access, int64_t id, const struct principal *principal,
	uint32_t permissions, int64_t now_s, bool *ret_reduced, struct err *err)
{
	/* by value: it may be borrowed from the very entry that goes */
	struct access_entry entry = {*principal, PRINCIPAL_OK, permissions & PERMISSION_ALL};
	if (!store(access, id, &entry.principal, entry.permissions, now_s, err))
		return false;
	entry.state = first_state(&entry.principal);
	struct vault *vault = vault_add(access, id);
	struct access_entry *old = entry_find(vault, &entry.principal);
	*ret_reduced = old != NULL && (old->permissions & ~entry.permissions) != 0;
	if (old == NULL && entry.permissions != 0)
		vault_append(vault, &entry);
	else if (old != NULL && entry.permissions != 0)
		*old = entry;
	else if (old != NULL)
		entry_remove(vault, old);
	return true;
}

void
access_forget_vault(struct access *access, int64_t id)
{
	struct vault *vault = find_vault(access, id);
	if (vault == NULL)
		return;
	free(vault->entries);
	size_t place = (size_t)(vault - access->vaults);
	memmove(vault, vault + 1, (access->vault_count - place - 1) * sizeof *vault);
	access->vault_count--;
}

const struct access_entry *
access_entries(const struct access *access, int64_t id, size_t *ret_count)
{
	const struct vault *vault = find_vault(access, id);
	*ret_count = vault == NULL ? 0 : vault->count;
	return vault == NULL ? NULL : vault->entries;
}

const struct principal *
access_find(const struct access *access, int64_t id, const char *text)
{
	size_t count;
	const struct access_entry *entries = access_entries(access, id, &count);
	/* exact name first, then numbers: the whole list decides, so the rule is principal_match()'s */
	struct principal *stored = calloc(count + 1, sizeof *stored);
	if (stored == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		stored[i] = entries[i].principal;
	size_t place = principal_match(text, stored, count);
	free(stored);
	return place < count ? &entries[place].principal : NULL;
}
