/*
 * The move of a Maildir in clear into the store. The mailbox is registered as unencrypted; each message is sealed, and when that is on
 * the disk the one in clear is removed; when none is left, neither in new and cur nor half delivered in tmp, these directories are
 * removed too, and only then is the mailbox reported as moved. STORE/MAILBOX/importing has the path of the Maildir from before the
 * first step until after the last one, so whatever ends it (kill -9, loss of power), the same import goes on where it was: at
 * each instant a message is in clear, or sealed, or for a moment both.
 */
#define _GNU_SOURCE

#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct import {
	const struct mailbox *box;
	char source[PATH_MAX];
	size_t count; /* of messages that were sealed */
};

static int
refuse(const char *path, const char *why)
{
	(void)fprintf(stderr, "mailstore: %s: %s\n", path, why);
	return MAIL_FILE;
}

/* ---- which import is under way ---- */

static void
note_path(const struct import *import, char path[static MAIL_PATH])
{
	mail_path(path, import->box->path, "importing", NULL);
}

static int
write_note(const struct import *import, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	size_t len = strlen(import->source);
	if (fd < 0)
		return mail_fail_file(path);
	bool written = write(fd, import->source, len) == (ssize_t)len && fsync(fd) == 0;
	int exit_code = written ? MAIL_DONE : mail_fail_file(path);
	(void)close(fd);
	return exit_code;
}

static int
make_note(const struct import *import)
{
	char path[MAIL_PATH], part[MAIL_PATH];
	note_path(import, path);
	mail_path(part, import->box->path, "tmp", "importing");
	int exit_code = write_note(import, part);
	if (exit_code == MAIL_DONE && rename(part, path) != 0)
		exit_code = mail_fail_file(path);
	return exit_code == MAIL_DONE ? mail_sync(import->box->path) : exit_code;
}

/* *ret_found: this import was begun. */
static int
read_note(const struct import *import, bool *ret_found)
{
	char path[MAIL_PATH], source[PATH_MAX];
	note_path(import, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? MAIL_DONE : mail_fail_file(path);
	ssize_t len = read(fd, source, sizeof(source) - 1);
	int exit_code = len >= 0 ? MAIL_DONE : mail_fail_file(path);
	(void)close(fd);
	source[len > 0 ? len : 0] = '\0';
	if (exit_code == MAIL_DONE && strcmp(source, import->source) != 0)
		return refuse(source, "its import was not finished; finish that first.");
	return exit_code;
}

static int
remove_note(const struct import *import)
{
	char path[MAIL_PATH];
	note_path(import, path);
	if (unlink(path) != 0)
		return mail_fail_file(path);
	return mail_sync(import->box->path);
}

/* ---- what is to be imported ---- */

/* What stays behind stays in clear, so it must be a Maildir and nothing more. */
static int
check_rest(const struct import *import, bool whole)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	struct dirent **names;
	size_t count, found = 0;
	int exit_code = mail_names(import->source, false, &names, &count);
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i++) {
		char path[MAIL_PATH];
		bool part = found < 3 && strcmp(names[i]->d_name, parts[found]) == 0;
		mail_path(path, import->source, names[i]->d_name, NULL);
		if (part && whole)
			found++;
		else
			exit_code = refuse(path, "not a part of a Maildir, and would be left in "
						 "clear; move it away.");
	}
	mail_names_free(names, count);
	if (exit_code == MAIL_DONE && whole && found < 3)
		return refuse(import->source, "not a Maildir: tmp, new or cur is missing.");
	return exit_code;
}

static int
check_source(const struct import *import)
{
	struct stat source, store;
	if (stat(import->source, &source) != 0)
		return mail_fail_file(import->source);
	if (stat(import->box->path, &store) != 0)
		return mail_fail_file(import->box->path);
	if (source.st_dev == store.st_dev && source.st_ino == store.st_ino)
		return refuse(import->source, "that is the mailbox itself.");
	return check_rest(import, true);
}

static int
begin(struct import *import, const char *maildir)
{
	bool begun;
	if (realpath(maildir, import->source) == NULL)
		return mail_fail_file(maildir);
	if (strlen(import->source) >= MAIL_ROOT)
		return refuse(maildir, "the path is too long.");
	int exit_code = read_note(import, &begun);
	if (exit_code != MAIL_DONE || begun)
		return exit_code;
	exit_code = check_source(import);
	return exit_code == MAIL_DONE ? make_note(import) : exit_code;
}

/* ---- depd ---- */

/* One that is registered already is left as it is. */
static int
register_mailbox(const struct mailbox *box)
{
	char text[512];
	struct custody_error error;
	(void)snprintf(
		text, sizeof(text), "{\"id\":\"%s\",\"state\":\"unencrypted\"}\n", box->scope.id);
	return custody_request(box->client, "POST", NULL, "/scopes/mailbox", text, NULL, &error)
		       ? MAIL_DONE
		       : mail_fail(&error);
}

/* Conflict: it was so before, when mail of another Maildir is added to it, or this import was killed just now. */
static int
report_moved(const struct mailbox *box)
{
	char path[512];
	struct custody_error error;
	(void)snprintf(path, sizeof(path), "/scopes/mailbox/%s/moved", box->scope.id);
	return custody_request(box->client, "POST", NULL, path, NULL, NULL, &error) ||
			       strcmp(error.name, "Conflict") == 0
		       ? MAIL_DONE
		       : mail_fail(&error);
}

/* ---- a message that was sealed before an import was killed ---- */

static bool
same_content(int one, int other)
{
	char octets[2][65536];
	ssize_t len = 0;
	bool same = true;
	for (off_t at = 0; same; at += len) {
		len = pread(one, octets[0], sizeof(octets[0]), at);
		same = len >= 0 && pread(other, octets[1], sizeof(octets[1]), at) == len &&
		       memcmp(octets[0], octets[1], (size_t)len) == 0;
		if (len == 0)
			break;
	}
	explicit_bzero(octets, sizeof(octets));
	return same;
}

/* `data`: descriptor of the message in clear. */
static int
compare(void *data, const struct mail_ref *ref, struct custody_opening *opening)
{
	const int *in = data;
	int fd = -1;
	int exit_code = mail_open_memory(ref, opening, &fd);
	if (exit_code != MAIL_DONE)
		return exit_code;
	bool same = same_content(*in, fd);
	(void)close(fd);
	return same ? MAIL_DONE
		    : refuse(ref->name,
			      "the store has another message of this name; rename this one.");
}

static bool
is_sealed(const struct mailbox *box, const struct mail_ref *ref)
{
	char path[MAIL_PATH];
	struct stat status;
	mail_path(path, box->path, ref->folder, ref->name);
	return lstat(path, &status) == 0;
}

/* ---- messages ---- */

/* *ret_gone: it is not there any more; a mail reader has moved it to cur. */
static int
open_source(const struct import *import, const struct mail_ref *ref, int *ret_fd, bool *ret_gone)
{
	char path[MAIL_PATH];
	struct stat status;
	mail_path(path, import->source, ref->folder, ref->name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	*ret_gone = fd < 0 && errno == ENOENT;
	if (fd < 0)
		return *ret_gone ? MAIL_DONE : mail_fail_file(path);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || ref->name[0] == '.') {
		(void)close(fd);
		return refuse(path, "not a message, and would be left in clear; move it away.");
	}
	*ret_fd = fd;
	return MAIL_DONE;
}

static int
take_message(struct import *import, const struct custody_data_key *key, const struct mail_ref *ref,
	bool *ret_gone)
{
	int in = -1;
	int exit_code = open_source(import, ref, &in, ret_gone);
	if (exit_code != MAIL_DONE || *ret_gone)
		return exit_code;
	if (is_sealed(import->box, ref))
		exit_code = mail_open_each(import->box, ref, 1, compare, &in);
	else
		exit_code = mail_seal(import->box, key, in, ref);
	(void)close(in);
	return exit_code;
}

/* Those in clear are removed when all of the batch are sealed and will stay so. */
static int
remove_clear(struct import *import, const struct mail_ref *refs, const bool *gone, size_t count)
{
	char path[MAIL_PATH];
	mail_path(path, import->box->path, refs[0].folder, NULL);
	int exit_code = mail_sync(path);
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i++) {
		if (gone[i])
			continue;
		mail_path(path, import->source, refs[i].folder, refs[i].name);
		if (unlink(path) != 0 && errno != ENOENT)
			exit_code = mail_fail_file(path);
		import->count++;
	}
	return exit_code;
}

static int
move_batch(struct import *import, const char *folder, struct dirent **names, size_t count)
{
	struct custody_error error;
	struct custody_data_keys *keys = NULL;
	struct mail_ref refs[MAIL_BATCH];
	bool gone[MAIL_BATCH];
	int exit_code = MAIL_DONE;
	if (!custody_data_keys_generate(
		    import->box->client, &import->box->scope, count, &keys, &error))
		return mail_fail(&error);
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i++) {
		refs[i] = (struct mail_ref){folder, names[i]->d_name};
		exit_code =
			take_message(import, custody_data_keys_get(keys, i), &refs[i], &gone[i]);
	}
	custody_data_keys_free(keys);
	return exit_code == MAIL_DONE ? remove_clear(import, refs, gone, count) : exit_code;
}

static int
move_folder(struct import *import, const char *folder)
{
	char path[MAIL_PATH];
	struct dirent **names;
	size_t count;
	mail_path(path, import->source, folder, NULL);
	int exit_code = mail_names(path, true, &names, &count);
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i += MAIL_BATCH)
		exit_code = move_batch(
			import, folder, names + i, count - i < MAIL_BATCH ? count - i : MAIL_BATCH);
	mail_names_free(names, count);
	return exit_code;
}

/* ---- the directories ---- */

/* *ret_filled: something was delivered since they were emptied. */
static int
remove_folder(const struct import *import, const char *folder, bool *ret_filled)
{
	char path[MAIL_PATH];
	mail_path(path, import->source, folder, NULL);
	*ret_filled = false;
	if (rmdir(path) == 0 || errno == ENOENT)
		return MAIL_DONE;
	*ret_filled = errno == ENOTEMPTY || errno == EEXIST;
	return *ret_filled ? MAIL_DONE : mail_fail_file(path);
}

/* Whatever is delivered or moved to cur while this goes on is moved too: a directory that was removed was empty. */
static int
move_all(struct import *import, const char *folder)
{
	bool filled = true;
	int exit_code = MAIL_DONE;
	while (filled && exit_code == MAIL_DONE) {
		exit_code = move_folder(import, folder);
		if (exit_code == MAIL_DONE)
			exit_code = remove_folder(import, folder, &filled);
	}
	return exit_code;
}

static int
move_maildir(struct import *import)
{
	bool filled;
	char path[MAIL_PATH];
	int exit_code = move_folder(import, "new");
	if (exit_code == MAIL_DONE)
		exit_code = move_folder(import, "cur");
	if (exit_code == MAIL_DONE)
		exit_code = remove_folder(import, "tmp", &filled);
	mail_path(path, import->source, "tmp", NULL);
	if (exit_code == MAIL_DONE && filled)
		return refuse(path, "deliveries that are under way or were never finished; when "
				    "there are none, import again.");
	if (exit_code == MAIL_DONE)
		exit_code = move_all(import, "new");
	if (exit_code == MAIL_DONE)
		exit_code = move_all(import, "cur");
	if (exit_code == MAIL_DONE)
		exit_code = check_rest(import, false);
	return exit_code == MAIL_DONE ? mail_sync(import->source) : exit_code;
}

/* ---- all of it ---- */

static int
run(struct import *import, const char *maildir)
{
	int exit_code = begin(import, maildir);
	if (exit_code == MAIL_DONE)
		exit_code = register_mailbox(import->box);
	if (exit_code == MAIL_DONE)
		exit_code = move_maildir(import);
	if (exit_code == MAIL_DONE)
		exit_code = report_moved(import->box);
	if (exit_code == MAIL_DONE)
		exit_code = remove_note(import);
	return exit_code;
}

int
mail_import(const struct mailbox *box, const char *maildir)
{
	struct import import = {.box = box, .source = ""};
	int exit_code = mail_make(box);
	if (exit_code != MAIL_DONE)
		return exit_code;
	int lock = open(box->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return mail_fail_file(box->path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0)
		exit_code = errno == EWOULDBLOCK
				    ? refuse(box->path, "another import of it is running.")
				    : mail_fail_file(box->path);
	else
		exit_code = run(&import, maildir);
	(void)close(lock); /* ends the lock */
	if (exit_code == MAIL_DONE)
		(void)printf("%zu moved\n", import.count);
	return exit_code;
}
