/*
 * Messages, sealed and opened. A message is written to tmp, and gets its name when all of it is on the disk, so no reader sees a part
 * of one. Many are opened by a call for their data keys, not by one for each.
 */
#define _GNU_SOURCE /* renameat2, memfd_create */

#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- seal ---- */

static int
seal_to(const struct custody_data_key *key, int in, const char *path)
{
	struct custody_error error;
	int out = open(
		path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (out < 0)
		return mail_fail_file(path);
	int exit_code = custody_data_key_seal_fd(key, NULL, in, out, &error) ? MAIL_DONE
									     : mail_fail(&error);
	if (exit_code == MAIL_DONE && fsync(out) != 0)
		exit_code = mail_fail_file(path);
	if (close(out) != 0 && exit_code == MAIL_DONE)
		exit_code = mail_fail_file(path);
	return exit_code;
}

int
mail_seal(const struct mailbox *box, const struct custody_data_key *key, int in,
	const struct mail_ref *ref)
{
	char part[MAIL_PATH], path[MAIL_PATH];
	mail_path(part, box->path, "tmp", ref->name);
	mail_path(path, box->path, ref->folder, ref->name);
	int exit_code = seal_to(key, in, part);
	if (exit_code == MAIL_DONE &&
		renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
		exit_code = mail_fail_file(path);
	if (exit_code != MAIL_DONE)
		(void)unlink(part);
	return exit_code;
}

/* ---- open ---- */

struct batch {
	size_t count;
	int exit_code; /* of the first that failed */
	struct mail_ref refs[MAIL_BATCH];
	int fds[MAIL_BATCH];
	struct custody_opening *openings[MAIL_BATCH];
	const char *wrapped[MAIL_BATCH];
};

static void
note(struct batch *batch, int exit_code)
{
	if (batch->exit_code == MAIL_DONE)
		batch->exit_code = exit_code;
}

static void
end_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		custody_open_end(batch->openings[i]);
		(void)close(batch->fds[i]);
	}
	batch->count = 0;
}

/* Reads the header of a message, which says what data key it needs. */
static void
add_message(struct batch *batch, const struct mailbox *box, const struct mail_ref *ref)
{
	char path[MAIL_PATH];
	struct custody_error error;
	size_t at = batch->count;
	mail_path(path, box->path, ref->folder, ref->name);
	batch->fds[at] = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (batch->fds[at] < 0) {
		note(batch, mail_fail_file(path));
		return;
	}
	if (!custody_data_key_open_begin(NULL, batch->fds[at], &batch->openings[at], &error)) {
		(void)close(batch->fds[at]);
		note(batch, mail_fail_message(ref, &error));
		return;
	}
	batch->wrapped[at] = custody_opening_wrapped(batch->openings[at]);
	batch->refs[at] = *ref;
	batch->count++;
}

/* Under the scope of this mailbox: a message of another one that was put here does not open, as its data key does not. */
static int
visit_batch(struct batch *batch, const struct mailbox *box, mail_visit *visit, void *data)
{
	struct custody_error error;
	struct custody_data_keys *keys = NULL;
	if (batch->count == 0)
		return MAIL_DONE;
	if (!custody_data_keys_unwrap(
		    box->client, &box->scope, batch->wrapped, batch->count, &keys, &error))
		return mail_fail(&error);
	for (size_t i = 0; i < batch->count; i++) {
		const struct mail_ref *ref = &batch->refs[i];
		bool given = custody_opening_give_key(
			batch->openings[i], custody_data_keys_get(keys, i), &error);
		note(batch, given ? visit(data, ref, batch->openings[i])
				  : mail_fail_message(ref, &error));
	}
	custody_data_keys_free(keys);
	return MAIL_DONE;
}

int
mail_open_each(const struct mailbox *box, const struct mail_ref *refs, size_t count,
	mail_visit *visit, void *data)
{
	struct batch batch = {.count = 0};
	int exit_code = MAIL_DONE;
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i++) {
		add_message(&batch, box, &refs[i]);
		if (batch.count < MAIL_BATCH && i + 1 < count)
			continue;
		exit_code = visit_batch(&batch, box, visit, data);
		end_batch(&batch);
	}
	return exit_code != MAIL_DONE ? exit_code : batch.exit_code;
}

int
mail_open_memory(const struct mail_ref *ref, struct custody_opening *opening, int *ret_fd)
{
	struct custody_error error;
	int fd = memfd_create("message", MFD_CLOEXEC);
	if (fd < 0)
		return mail_fail_file("memory");
	int exit_code =
		custody_open_fd(opening, fd, &error) ? MAIL_DONE : mail_fail_message(ref, &error);
	if (exit_code == MAIL_DONE && lseek(fd, 0, SEEK_SET) != 0)
		exit_code = mail_fail_file("memory");
	if (exit_code != MAIL_DONE)
		(void)close(fd);
	else
		*ret_fd = fd;
	return exit_code;
}
