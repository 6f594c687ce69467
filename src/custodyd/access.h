/*
 * Who may do what: the policies of all vaults in memory, the administrators and the registered applications.
 * Deny by default; nobody is special, root neither. Nothing here blocks but where said.
 *
 * A user has what his uid and any of his groups are granted; acting as an application he has what the
 * application is granted and nothing else, and is no administrator.
 */
#pragma once

#include "db/db.h"
#include "service/principal.h"

enum permission {
#define PERMISSION(symbol, word, help) PERMISSION_##symbol,
#include "perm.tbl"
	PERMISSION_COUNT
};
#define PERMISSION_BIT(permission) (UINT32_C(1) << (permission))
#define PERMISSION_ALL             ((UINT32_C(1) << PERMISSION_COUNT) - 1)

const char *permission_word(enum permission permission);
/* Words compare exactly but for case; "all" sets every bit. false: unknown word. */
bool permission_parse(const char *word, uint32_t *ret_bits) MUST_USE;

/* An application of the configuration, [application GUID]. */
struct access_application {
	char guid[ID_UUID_TEXT]; /* folded */
	char name[65];
	struct principal user;
};

struct access_entry {
	struct principal principal;
	enum principal_state state;
	uint32_t permissions;
};

struct access;

/* Loads all policies. Blocking (names are checked). */
struct access *access_new(struct db *db, struct err *err) MUST_USE;
void access_free(struct access *access);

/*
 * Takes over administrators ("user:alice group:staff …", blanks between) and applications from a configuration, all or
 * nothing: ERR_CONFIG names what is wrong. Blocking. `applications` are copied; a GUID twice is refused. The first only
 * looks whether it would.
 */
bool access_check_administrators(const char *administrators, struct err *err) MUST_USE;
bool access_configure(struct access *access, const char *administrators,
	const struct access_application *applications, size_t count, struct err *err) MUST_USE;

/*
 * Checks all stored names again; true if a state changed (log it). Call every `name-refresh`; blocking as long as the
 * system's name service takes.
 */
bool access_refresh(struct access *access);

/*
 * Fills caller->application from the header's value (NULL or "": as the user). ERR_ACCESS_DENIED, one answer for malformed,
 * unknown and not registered to this uid.
 */
bool access_choose_application(const struct access *access, const char *header,
	struct caller *caller, struct err *err) MUST_USE;
/* Name of a registered application, "" if unknown; borrowed until access_configure(). */
const char *access_application_name(const struct access *access, const char *guid);

bool access_is_administrator(const struct access *access, const struct caller *caller);
/* All bits of `caller` on a vault; 0 for an unknown vault. */
uint32_t access_permissions(
	const struct access *access, const struct caller *caller, int64_t vault);
bool access_allows(const struct access *access, const struct caller *caller, int64_t vault,
	enum permission permission);
/* access_allows() as an error: ERR_FORBIDDEN, the same text whatever the vault holds (threats C21). */
bool access_check(const struct access *access, const struct caller *caller, int64_t vault,
	enum permission permission, struct err *err) MUST_USE;

/*
 * Changes: in the catalog first, then at once in memory. `permissions` 0 removes the entry (ERR_NOT_FOUND if there is none).
 * ret_reduced: the caller lost at least one bit (the token's counter is to be bumped).
 */
bool access_set(struct access *access, int64_t vault, const struct principal *principal,
	uint32_t permissions, int64_t now_s, bool *ret_reduced, struct err *err) MUST_USE;
/* Reads all policies again, after db_reopen(). On failure nothing changed. */
bool access_reload(struct access *access, struct err *err) MUST_USE;
/* Forgets a vault that was deleted from the catalog. */
void access_forget_vault(struct access *access, int64_t vault);
/* Entries of a vault in stable order; borrowed until the next change. */
const struct access_entry *access_entries(
	const struct access *access, int64_t vault, size_t *ret_count);
/* Finds the stored principal meant by a text (principal_match) for removal; NULL: none. Borrowed likewise. */
const struct principal *access_find(const struct access *access, int64_t vault, const char *text);

DEFINE_CLEAN(access, struct access)
