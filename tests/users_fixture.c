#include "users_fixture.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define USERS 8

static struct user {
	uid_t uid;
	const char *name;
} users[USERS];
static bool broken;

int __wrap_getpwnam_r(
	const char *name, struct passwd *entry, char *room, size_t size, struct passwd **result);
int __wrap_getpwuid_r(
	uid_t uid, struct passwd *entry, char *room, size_t size, struct passwd **result);

void
users_fixture_reset(void)
{
	memset(users, 0, sizeof users);
	broken = false;
	users_fixture_set(1000, "alice");
	users_fixture_set(1001, "bob");
	users_fixture_set(65534, "nobody");
}

void
users_fixture_set(uid_t uid, const char *name)
{
	for (size_t i = 0; i < USERS; i++) {
		if (users[i].name == NULL || users[i].uid == uid) {
			users[i] = (struct user){uid, name};
			return;
		}
	}
}

void
users_fixture_fail(bool failing)
{
	broken = failing;
}

static int
answer(const struct user *user, struct passwd *entry, char *room, size_t size,
	struct passwd **result)
{
	*result = NULL;
	if (broken)
		return EIO;
	if (user == NULL)
		return 0;
	(void)snprintf(room, size, "%s", user->name);
	memset(entry, 0, sizeof *entry);
	entry->pw_name = room;
	entry->pw_uid = user->uid;
	*result = entry;
	return 0;
}

int
__wrap_getpwnam_r(
	const char *name, struct passwd *entry, char *room, size_t size, struct passwd **result)
{
	for (size_t i = 0; i < USERS; i++)
		if (users[i].name != NULL && strcmp(users[i].name, name) == 0)
			return answer(&users[i], entry, room, size, result);
	return answer(NULL, entry, room, size, result);
}

int
__wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *room, size_t size, struct passwd **result)
{
	for (size_t i = 0; i < USERS; i++)
		if (users[i].name != NULL && users[i].uid == uid)
			return answer(&users[i], entry, room, size, result);
	return answer(NULL, entry, room, size, result);
}
