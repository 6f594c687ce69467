/*
 * The audit file: append-only JSON lines, hash-chained, written before the answer. No record, no answer (threats
 * D2); after a failed sync nothing is appended until the file was opened and verified again (D3).
 *
 * A line is {"seq":N,"prev":"<hex>",…,"hash":"<hex>"}: hash = SHA-256 of the line's octets before ,"hash"; prev is the
 * hash of the line before, zeros for the first. Times never decrease.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define AUDIT_HASH_BYTES 32
#define AUDIT_LINE_MAX   20480

struct audit;

struct audit_record {
	const char *request; /* request id (UUID); NULL for what the daemon does by itself */
	bool by_daemon;      /* no caller: start, scheduled purge; `user` is the daemon */
	uid_t uid;
	gid_t gid;
	const char *user; /* cached name of uid, NULL if unknown */
	pid_t pid;
	uint64_t pid_start;
	const char *application; /* GUID, NULL or "" for none */
	const char *operation;   /* audit name of the route: "key.unwrap" */
	/* as named by the request, NULL or "" if none; escaped, cut at 256 octets */
	const char *vault, *key, *version;
	const char *subject; /* of a daemon without vaults: its policy or scope; the same */
	enum err_code code;  /* ERR_NONE: done */
	int status;          /* HTTP status of the answer, 0 if none */
	const char *
		detail; /* kids and tokens of a dual operation, a principal…; NULL for none; cut at 1,024 octets */
	uint64_t catalog; /* db_generation() after the operation */
};

struct audit_head {
	uint64_t records;
	uint64_t offset; /* octets of the file up to and with the last record */
	uint8_t hash[AUDIT_HASH_BYTES];
	uint64_t catalog; /* generation in the last record */
};

/*
 * Opens or makes the file (0600, directory synced), checks modes and owner (ERR_CONFIG), verifies the chain of the last
 * AUDIT_TAIL_BYTES, cuts off a partial last line, or what follows a hole that the disk never got, and records that; more than a line
 * of it is kept in <path>.cut-<octet>. ERR_AUDIT_INTEGRITY names the octet of a line that does not verify;
 * ERR_CATALOG_LOCKED: another daemon has it.
 * `program` is the static name of the daemon, for what it does by itself. Blocking.
 */
#define AUDIT_TAIL_BYTES (8 << 20)
struct audit *audit_open(const char *path, const char *program, struct err *err) MUST_USE;
void audit_close(struct audit *audit);

/*
 * Appends one record; with `durable` it is on disk when true is returned. ERR_STORAGE_FULL (nothing is left in the file;
 * works again when there is room), ERR_STORAGE, ERR_AUDIT_INTEGRITY for a shrunk or replaced file (D19): then do
 * not answer what was asked.
 */
bool audit_append(struct audit *audit, const struct audit_record *record, bool durable,
	struct err *err) MUST_USE;
/*
 * Room on the disk for one more record, before something is done that cannot be taken back: what is recorded under a promise
 * does not fail for lack of room (threats D1, D2). Each promise ends by audit_release(), just before its record is appended
 * or because there will be none. ERR_STORAGE_FULL and the other errors of audit_append(): do nothing then. Where the file
 * system cannot set room aside nothing is promised in truth.
 */
bool audit_promise(struct audit *audit, struct err *err) MUST_USE;
void audit_release(struct audit *audit);
/* Puts what was appended on disk and checks that the file is still the one that was opened. Timer: `audit-sync`. */
bool audit_sync(struct audit *audit, struct err *err) MUST_USE;
bool audit_failed(const struct audit *audit); /* latched by a failed sync or a changed file */
/*
 * After such a failure: opens and verifies the file again. What was synced before must be there (ERR_AUDIT_INTEGRITY
 * otherwise, and the audit stays closed); records after that may be lost, which a new record then says. After a change from
 * outside (D19) it must be the same file, with all that was ever appended: a person put it back.
 */
bool audit_reopen(struct audit *audit, struct err *err) MUST_USE;

struct audit_head audit_head(const struct audit *audit);
struct audit_head audit_synced(
	const struct audit *audit); /* of the last record known to be on disk */

/*
 * Compares with what the catalog remembers (threats D8, D16): ERR_AUDIT_INTEGRITY if the record of `remembered` is not in the
 * file with that hash at that place (the audit was cut or replaced); ERR_CATALOG_ROLLED_BACK if the audit tells of a later
 * generation of the catalog (an old copy was put back). At start, before serving.
 */
bool audit_check(
	const struct audit *audit, const struct audit_head *remembered, struct err *err) MUST_USE;

/* A record as it stands in the file; texts are "" where there is none, and borrowed for the call. */
struct audit_entry {
	uint64_t seq;
	uint64_t catalog;
	const char *operation, *vault, *key;
	const char *outcome; /* "done", or the class of the error */
	const char *code;    /* name of the error */
};
typedef void audit_visit(void *ctx, const struct audit_entry *entry);
/*
 * Every record after that of `from`, in order. ret_known false: the file does not hold that record, or something behind it
 * does not verify, so what happened since cannot be known. Blocking.
 */
bool audit_since(const struct audit *audit, const struct audit_head *from, audit_visit *visit,
	void *ctx, bool *ret_known, struct err *err) MUST_USE;

/* Walks a whole file: for tools and tests. ERR_AUDIT_INTEGRITY names line and offset of the first bad one. */
bool audit_verify(const char *path, struct audit_head *ret_head, struct err *err) MUST_USE;

static inline void
audit_clean(struct audit **audit)
{
	audit_close(*audit);
	*audit = NULL;
}
