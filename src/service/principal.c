/* Text, number and name of principals. Invariant: a number never stands for a name that it does not have now. */
#include "principal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define ENTRY_BYTES      65536 /* of a passwd or group entry; a group lists its members */
#define OVERFLOW_DEFAULT 65534 /* linux/highuid.h */

static const struct {
	enum db_principal_kind kind;
	const char *prefix;
} kinds[] = {
	{DB_PRINCIPAL_USER,        "user:" },
	{DB_PRINCIPAL_GROUP,       "group:"},
	{DB_PRINCIPAL_APPLICATION, "app:"  },
};

/* Digits only, as an id; (uid_t)-1 is not one. */
static bool
parse_number(const char *text, int64_t *ret_number)
{
	size_t len = strlen(text);
	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return false;
	unsigned long number = strtoul(text, NULL, 10);
	if (number >= UINT32_MAX)
		return false;
	*ret_number = (int64_t)number;
	return true;
}

static uint32_t
read_overflow(const char *path)
{
	struct err ignored; /* no /proc: the kernel's default */
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 32);
	int64_t number;
	if (!file_read(path, &buf, ERR_INTERNAL, &ignored))
		return OVERFLOW_DEFAULT;
	char text[33];
	(void)snprintf(text, sizeof text, "%s", buf_peek(&buf));
	text[strcspn(text, "\n")] = '\0';
	return parse_number(text, &number) ? (uint32_t)number : OVERFLOW_DEFAULT;
}

uid_t
principal_overflow_uid(void)
{
	return read_overflow("/proc/sys/kernel/overflowuid");
}

gid_t
principal_overflow_gid(void)
{
	return read_overflow("/proc/sys/kernel/overflowgid");
}

/* What the system says of a name or number. */
enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_FAILED, /* nobody knows now */
};

static enum answer
answer_of(const void *entry, int error)
{
	if (entry != NULL)
		return ANSWER_YES;
	/* getpwnam_r(3): the values that systems give for "not there" */
	if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
		return ANSWER_NO;
	return ANSWER_FAILED;
}

/* Number of a user or group. */
static enum answer
ask_number(enum db_principal_kind kind, const char *name, int64_t *ret_number)
{
	char *room = malloc(ENTRY_BYTES);
	if (room == NULL)
		abort();
	enum answer answer;
	if (kind == DB_PRINCIPAL_USER) {
		struct passwd entry, *found = NULL;
		int error = getpwnam_r(name, &entry, room, ENTRY_BYTES, &found);
		answer = answer_of(found, error);
		if (answer == ANSWER_YES)
			*ret_number = entry.pw_uid;
	} else {
		struct group entry, *found = NULL;
		int error = getgrnam_r(name, &entry, room, ENTRY_BYTES, &found);
		answer = answer_of(found, error);
		if (answer == ANSWER_YES)
			*ret_number = entry.gr_gid;
	}
	free(room);
	return answer;
}

/* Name of a number; one that is too long for us is as good as none. */
static enum answer
ask_name(enum db_principal_kind kind, int64_t number, char name[static DB_PRINCIPAL_NAME])
{
	char *room = malloc(ENTRY_BYTES);
	if (room == NULL)
		abort();
	const char *text = "";
	enum answer answer;
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	if (kind == DB_PRINCIPAL_USER) {
		int error = getpwuid_r((uid_t)number, &user, room, ENTRY_BYTES, &found_user);
		answer = answer_of(found_user, error);
		if (answer == ANSWER_YES)
			text = user.pw_name;
	} else {
		int error = getgrgid_r((gid_t)number, &group, room, ENTRY_BYTES, &found_group);
		answer = answer_of(found_group, error);
		if (answer == ANSWER_YES)
			text = group.gr_name;
	}
	if (answer == ANSWER_YES && strlen(text) >= DB_PRINCIPAL_NAME)
		answer = ANSWER_NO;
	if (answer == ANSWER_YES)
		memcpy(name, text, strlen(text) + 1);
	else
		name[0] = '\0';
	free(room);
	return answer;
}

static bool
name_valid(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len >= DB_PRINCIPAL_NAME)
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == ':' || *c == '/')
			return false;
	return true;
}

/* "kind:" taken off; NULL for anything else. */
static const char *
split(const char *text, enum db_principal_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);
		if (strncmp(text, kinds[i].prefix, len) == 0 && name_valid(text + len)) {
			*ret_kind = kinds[i].kind;
			return text + len;
		}
	}
	return NULL;
}

static bool
parse_application(const char *name, struct principal *ret_principal, struct err *err)
{
	if (!id_uuid_valid(name))
		return err_set(
			err, ERR_BAD_PARAMETER, "An application is named by its GUID: app:GUID.");
	memset(ret_principal, 0, sizeof *ret_principal);
	ret_principal->kind = DB_PRINCIPAL_APPLICATION;
	ret_principal->number = -1;
	id_fold(name, ret_principal->name);
	return true;
}

/* Users and groups: a name if there is one of that spelling, else a number. */
static bool
resolve(enum db_principal_kind kind, const char *name, struct principal *ret_principal,
	struct err *err)
{
	struct principal principal = {.kind = kind};
	enum answer answer = ask_number(kind, name, &principal.number);
	if (answer == ANSWER_YES)
		memcpy(principal.name, name, strlen(name) + 1);
	else if (answer == ANSWER_NO && parse_number(name, &principal.number))
		answer = ask_name(kind, principal.number, principal.name) == ANSWER_FAILED
				 ? ANSWER_FAILED
				 : ANSWER_YES;
	if (answer == ANSWER_FAILED)
		return err_set(err, ERR_UNAVAILABLE,
			"The system cannot look up users and groups now; try again later.");
	if (answer == ANSWER_NO)
		return err_set(err, ERR_BAD_PARAMETER, "There is no %s '%s' on this system.",
			kind == DB_PRINCIPAL_USER ? "user" : "group", name);
	int64_t overflow = kind == DB_PRINCIPAL_USER ? (int64_t)principal_overflow_uid()
						     : (int64_t)principal_overflow_gid();
	if (principal.number == overflow)
		return err_set(err, ERR_BAD_PARAMETER,
			"'%s' stands for every id that is not mapped; it cannot be granted "
			"anything.",
			name);
	*ret_principal = principal;
	return true;
}

bool
principal_parse(const char *text, struct principal *ret_principal, struct err *err)
{
	enum db_principal_kind kind;
	const char *name = split(text, &kind);
	if (name == NULL)
		return err_set(err, ERR_BAD_PARAMETER,
			"A principal is user:NAME, group:NAME or app:GUID.");
	if (kind == DB_PRINCIPAL_APPLICATION)
		return parse_application(name, ret_principal, err);
	return resolve(kind, name, ret_principal, err);
}

size_t
principal_match(const char *text, const struct principal *stored, size_t count)
{
	enum db_principal_kind kind;
	const char *name = split(text, &kind);
	if (name == NULL)
		return count;
	char folded[DB_PRINCIPAL_NAME];
	memcpy(folded, name, strlen(name) + 1);
	if (kind == DB_PRINCIPAL_APPLICATION)
		id_fold(name, folded);
	for (size_t i = 0; i < count; i++)
		if (stored[i].kind == kind && strcmp(stored[i].name, folded) == 0)
			return i;
	int64_t number;
	if (kind == DB_PRINCIPAL_APPLICATION || !parse_number(name, &number))
		return count;
	for (size_t i = 0; i < count; i++)
		if (stored[i].kind == kind && stored[i].number == number)
			return i;
	return count;
}

void
principal_format(const struct principal *principal, char text[static PRINCIPAL_TEXT])
{
	const char *prefix = "";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == principal->kind)
			prefix = kinds[i].prefix;
	if (principal->name[0] != '\0')
		(void)snprintf(text, PRINCIPAL_TEXT, "%s%s", prefix, principal->name);
	else
		(void)snprintf(
			text, PRINCIPAL_TEXT, "%s%lld", prefix, (long long)principal->number);
}

bool
principal_check(const struct principal *principal, enum principal_state *ret_state)
{
	if (principal->kind == DB_PRINCIPAL_APPLICATION) {
		*ret_state = PRINCIPAL_OK;
		return true;
	}
	char name[DB_PRINCIPAL_NAME];
	if (ask_name(principal->kind, principal->number, name) == ANSWER_FAILED)
		return false;
	*ret_state = strcmp(name, principal->name) == 0 ? PRINCIPAL_OK : PRINCIPAL_CHANGED;
	return true;
}

static bool
in_group(const struct caller *caller, int64_t number)
{
	if (number == (int64_t)caller->gid)
		return true;
	for (size_t i = 0; i < caller->group_count; i++)
		if (number == (int64_t)caller->groups[i])
			return true;
	return false;
}

bool
principal_is(const struct principal *principal, const struct caller *caller, uid_t overflow_uid,
	gid_t overflow_gid)
{
	int64_t number = principal->number;
	if (principal->kind == DB_PRINCIPAL_GROUP)
		return number != (int64_t)overflow_gid && in_group(caller, number);
	return principal->kind == DB_PRINCIPAL_USER && caller->uid != overflow_uid &&
	       number == (int64_t)caller->uid;
}
