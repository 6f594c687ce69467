/* Files and directories of mailstore, and how it tells what went wrong. */
#define _GNU_SOURCE

#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
mail_fail(const struct custody_error *error)
{
	(void)fprintf(stderr, "mailstore: %s [%s]\n", error->message, error->name);
	return MAIL_USAGE + (int)error->error_class;
}

int
mail_fail_message(const struct mail_ref *ref, const struct custody_error *error)
{
	(void)fprintf(stderr, "mailstore: %s/%s: %s [%s]\n", ref->folder, ref->name, error->message,
		error->name);
	return MAIL_USAGE + (int)error->error_class;
}

int
mail_fail_file(const char *path)
{
	(void)fprintf(stderr, "mailstore: %s: %s\n", path, strerror(errno));
	return MAIL_FILE;
}

void
mail_path(char path[static MAIL_PATH], const char *root, const char *folder, const char *name)
{
	(void)snprintf(path, MAIL_PATH, "%s%s%s%s%s", root, folder != NULL ? "/" : "",
		folder != NULL ? folder : "", name != NULL ? "/" : "", name != NULL ? name : "");
}

int
mail_make(const struct mailbox *box)
{
	static const char *const parts[] = {NULL, "tmp", "new", "cur"};
	char path[MAIL_PATH];
	bool made = false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		mail_path(path, box->path, parts[i], NULL);
		if (mkdir(path, S_IRWXU) == 0)
			made = true;
		else if (errno != EEXIST)
			return mail_fail_file(path);
	}
	mail_path(path, box->path, "..", NULL);
	int exit_code = made ? mail_sync(box->path) : MAIL_DONE;
	return made && exit_code == MAIL_DONE ? mail_sync(path) : exit_code;
}

int
mail_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mail_fail_file(path);
	int exit_code = fsync(fd) == 0 ? MAIL_DONE : mail_fail_file(path);
	(void)close(fd);
	return exit_code;
}

static int
is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int
mail_names(const char *path, bool or_none, struct dirent ***ret_names, size_t *ret_count)
{
	int count = scandir(path, ret_names, is_entry, alphasort);
	*ret_count = 0;
	if (count < 0) {
		*ret_names = NULL;
		return or_none && errno == ENOENT ? MAIL_DONE : mail_fail_file(path);
	}
	*ret_count = (size_t)count;
	return MAIL_DONE;
}

void
mail_names_free(struct dirent **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
