/*
 * Invariant: while daemon->rollback is set, the catalog is held (db_hold), and what may be wrong in it is either in `missed` or
 * `all` is set.
 */
#include "rollback.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "custodyd/call.h"
#include "custodyd/reconcile.h"

#define MISSED_MAX 4096 /* vaults and keys; if more were changed, all were */

/* Changed after the copy was made; `key` "": the vault itself. */
struct missed {
	const char *vault, *key;
};

struct rollback {
	struct err why;
	struct arena *arena; /* of texts */
	struct missed missed[MISSED_MAX];
	size_t count;
	bool all;
	uint64_t records; /* that tell of changes which the copy lacks */
	uint64_t changes; /* in the copy */
	uint64_t reached; /* by the catalog, when the copy was put back: at least */
};

/* ---- what is missing ---- */

static void
miss(struct rollback *rollback, const char *vault, const char *key)
{
	for (size_t i = 0; i < rollback->count; i++)
		if (strcasecmp(rollback->missed[i].vault, vault) == 0 &&
			strcasecmp(rollback->missed[i].key, key) == 0)
			return;
	if (rollback->count == MISSED_MAX) {
		rollback->all = true;
		return;
	}
	rollback->missed[rollback->count++] = (struct missed){
		arena_strdup(rollback->arena, vault), arena_strdup(rollback->arena, key)};
}

static const struct route_row *
route_of(const char *operation)
{
	size_t count;
	const struct route_row *rows = routes_get(&count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].audit, operation) == 0)
			return &rows[i];
	return NULL;
}

/*
 * What was refused changed nothing; what failed otherwise may have changed something. What is done and not counted beyond
 * the copy is in it.
 */
static bool
may_be_missing(const struct rollback *rollback, const struct audit_entry *entry)
{
	if (strcmp(entry->outcome, "done") == 0)
		return entry->catalog > rollback->changes;
	return strcmp(entry->outcome, err_class_name(ERR_CLASS_BAD)) != 0 &&
	       strcmp(entry->outcome, err_class_name(ERR_CLASS_DENIED)) != 0 &&
	       strcmp(entry->code, err_name(ERR_CATALOG_ROLLED_BACK)) != 0;
}

/* Records of the daemon itself that name no vault are about its files. */
static bool
is_about_files(const char *operation)
{
	static const char audit[] = "audit.", catalog[] = "catalog.";
	return strncmp(operation, audit, sizeof(audit) - 1) == 0 ||
	       strncmp(operation, catalog, sizeof(catalog) - 1) == 0;
}

static void
take_entry(void *ctx, const struct audit_entry *entry)
{
	struct rollback *rollback = ctx;
	const struct route_row *route = route_of(entry->operation);
	if (!may_be_missing(rollback, entry) || (route != NULL && !route->mutates))
		return;
	rollback->records++;
	if (entry->vault[0] != '\0')
		miss(rollback, entry->vault, entry->key);
	else if (route == NULL && !is_about_files(entry->operation))
		rollback->all = true; /* nobody knows what that was */
}

/* ---- being one ---- */

static struct rollback *
begin(struct custodyd *daemon, const struct err *why)
{
	struct rollback *rollback = calloc(1, sizeof(*rollback));
	if (rollback == NULL)
		abort();
	rollback->why = *why;
	rollback->arena = arena_new();
	rollback->changes = db_generation(daemon->db);
	rollback->reached = audit_head(daemon->audit).catalog;
	daemon->rollback = rollback;
	db_hold(daemon->db);
	return rollback;
}

static void
tell(struct custodyd *daemon)
{
	const struct rollback *rollback = daemon->rollback;
	custodyd_note(daemon, "catalog.rolled-back", &rollback->why, NULL);
	log_error("catalog.read-only", LOG_INT("missed_records", rollback->records),
		LOG_TEXT("refused", rollback->all ? "all vaults" : "what was changed since"),
		LOG_TEXT("see", "custodyctl doctor"),
		LOG_TEXT("then", "put the right catalog back, or custodyctl catalog accept"));
	host_tell("read-only: an old copy of the catalog was put back; see custodyctl doctor");
}

bool
rollback_begin(struct custodyd *daemon, const struct audit_head *remembered, const struct err *why,
	struct err *err)
{
	struct rollback *rollback = begin(daemon, why);
	bool known;
	if (!audit_since(daemon->audit, remembered, take_entry, rollback, &known, err))
		return false;
	rollback->all = rollback->all || !known;
	tell(daemon);
	return true;
}

void
rollback_found(struct custodyd *daemon, const struct err *why)
{
	struct rollback *rollback = daemon->rollback;
	if (rollback != NULL && rollback->all)
		return;
	if (rollback == NULL)
		rollback = begin(daemon, why);
	rollback->all = true;
	tell(daemon);
}

void
rollback_free(struct rollback *rollback)
{
	if (rollback == NULL)
		return;
	arena_free(rollback->arena);
	free(rollback);
}

/* ---- what is refused ---- */

const char *
rollback_why(const struct custodyd *daemon)
{
	return daemon->rollback == NULL ? NULL : daemon->rollback->why.message;
}

bool
rollback_check(const struct custodyd *daemon, const char *vault, const char *key, struct err *err)
{
	const struct rollback *rollback = daemon->rollback;
	if (rollback == NULL)
		return true;
	if (rollback->all)
		return err_set(err, ERR_CATALOG_ROLLED_BACK, NULL);
	for (size_t i = 0; i < rollback->count; i++) {
		const struct missed *missed = &rollback->missed[i];
		bool concerns =
			missed->key[0] == '\0' || key == NULL || strcasecmp(missed->key, key) == 0;
		if (concerns && strcasecmp(missed->vault, vault) == 0)
			return err_set(err, ERR_CATALOG_ROLLED_BACK, NULL);
	}
	return true;
}

/* ---- what is told ---- */

bool
rollback_missed(
	const struct custodyd *daemon, size_t index, const char **ret_vault, const char **ret_key)
{
	const struct rollback *rollback = daemon->rollback;
	if (rollback == NULL || index >= rollback->count)
		return false;
	*ret_vault = rollback->missed[index].vault;
	*ret_key = rollback->missed[index].key;
	return true;
}

bool
rollback_all(const struct custodyd *daemon)
{
	return daemon->rollback != NULL && daemon->rollback->all;
}

const char *
rollback_detail(const struct custodyd *daemon, struct arena *arena)
{
	const struct rollback *rollback = daemon->rollback;
	return arena_printf(arena, "changes after %llu, up to %llu or more, are given up",
		(unsigned long long)rollback->changes, (unsigned long long)rollback->reached);
}

bool
rollback_accept(struct custodyd *daemon, struct err *err)
{
	struct rollback *rollback = daemon->rollback;
	uint64_t known = audit_head(daemon->audit).catalog;
	if (known > rollback->reached)
		rollback->reached = known;
	if (!db_accept(daemon->db, rollback->reached, calendar_now_s(daemon->calendar), err))
		return false;
	log_warning("catalog.accepted", LOG_INT("changes", rollback->changes),
		LOG_INT("given_up", rollback->reached), LOG_INT("now", db_generation(daemon->db)));
	rollback_free(rollback);
	daemon->rollback = NULL;
	keystore_forget_all(daemon->keys);
	host_tell(NULL);
	reconcile_purge_due(daemon->reconciler);
	return true;
}
