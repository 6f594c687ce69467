/* Files, pipes and terminals at the edges of custodyctl: what is read, what is written, what is asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Reads all of `path`, or of standard input for NULL and "-". At most input->max octets: ERR_CLIENT_FILE. */
bool terminal_read(const char *path, struct buf *input, struct err *err) MUST_USE;

/*
 * A file that appears under its name, mode 0600, when it is finished, and not at all otherwise, even if
 * the program is killed (where the file system has unnamed files). "-" is standard output.
 */
struct outfile {
	int fd; /* write here */
	bool standard;
	bool replace;
	const char *path; /* borrowed */
	char name[4096];  /* of the temporary file; "" if it has none */
};

/* ERR_CLIENT_FILE; an existing file only with `replace`. */
bool outfile_open(
	const char *path, bool replace, struct outfile *ret_file, struct err *err) MUST_USE;
/* Syncs and names it. Closes it in any case. */
bool outfile_finish(struct outfile *file, struct err *err) MUST_USE;
/* Leaves nothing. Harmless after outfile_finish(). */
void outfile_discard(struct outfile *file);

/* Secrets go to a terminal only if told so (threat F13). ERR_CLIENT_USAGE. */
bool terminal_allows_secret(int fd, bool told, struct err *err) MUST_USE;

/*
 * Asks on the terminal and compares the answer with `wanted`. ERR_CLIENT_USAGE when the answer is another one,
 * or there is no terminal (standard input is none).
 */
bool terminal_confirm(const char *question, const char *wanted, struct err *err) MUST_USE;
bool terminal_present(void);

/* Reads a line from the terminal without echo, or from `path` ("-": standard input). ERR_CLIENT_FILE. */
bool terminal_read_pin(
	const char *prompt, const char *path, struct buf *pin, struct err *err) MUST_USE;

static inline void
outfile_clean(struct outfile *file)
{
	outfile_discard(file);
}
