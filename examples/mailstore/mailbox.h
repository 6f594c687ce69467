/*
 * What the parts of mailstore share. A store is a directory with a Maildir for each mailbox, STORE/MAILBOX/{tmp,new,cur}, whose messages
 * are sealed content (custody-sealed(5)). Functions return an exit code, 0 if all went well, after telling why on stderr.
 */
#pragma once

#include <custody/custody.h>

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#define MAIL_PATH  4096
#define MAIL_ROOT  3500 /* octets of the path of a mailbox: what is in it fits in MAIL_PATH */
#define MAIL_BATCH 256  /* messages whose data keys are asked for at once */

enum mail_exit { /* beyond: 2 + enum custody_class */
	MAIL_DONE = 0,
	MAIL_FILE = 1,
	MAIL_USAGE = 2,
};

struct mailbox {
	struct custody_client *client; /* of depd */
	struct custody_scope scope;
	char path[MAIL_ROOT];
};

/* A message by the folder that it is in, "new" or "cur", and its name there; borrowed. */
struct mail_ref {
	const char *folder;
	const char *name;
};

/* ---- mail_file.c: files and directories ---- */

int mail_fail(const struct custody_error *error);
/* The same of one message. */
int mail_fail_message(const struct mail_ref *ref, const struct custody_error *error);
/* Of errno, which it leaves alone. */
int mail_fail_file(const char *path);
/* A part of it may be NULL. */
void mail_path(char path[static MAIL_PATH], const char *root, const char *folder, const char *name);
/* The directories of the mailbox, for its owner only, if they are not there. */
int mail_make(const struct mailbox *box);
/* What was created, renamed and removed in a directory is so for good. */
int mail_sync(const char *path);
/* All that is in a directory but "." and "..", by name. One that is not there has nothing if `or_none`. */
int mail_names(const char *path, bool or_none, struct dirent ***ret_names, size_t *ret_count);
void mail_names_free(struct dirent **names, size_t count);

/* ---- mail_message.c: one message or many ---- */

/* Seals `in` with a new data key. When it is done the message is on the disk under its name, but for mail_sync() of its folder. */
int mail_seal(const struct mailbox *box, const struct custody_data_key *key, int in,
	const struct mail_ref *ref);

/* `opening` is to be opened once, or not. */
typedef int mail_visit(void *data, const struct mail_ref *ref, struct custody_opening *opening);
/* Each message; one that does not open is told, and the others follow. The exit code of the first that failed. */
int mail_open_each(const struct mailbox *box, const struct mail_ref *refs, size_t count,
	mail_visit *visit, void *data);
/* What is in clear goes to memory only: *ret_fd is at its start. */
int mail_open_memory(const struct mail_ref *ref, struct custody_opening *opening, int *ret_fd);

/* ---- mail_import.c ---- */

int mail_import(const struct mailbox *box, const char *maildir);
