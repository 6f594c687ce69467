/*
 * Files, directory trees and pipes, sealed and opened: where it comes from, where it goes, what is left of it when it fails.
 * Invariant: an output that is a file appears whole or not at all.
 */
#include "seal_work.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/progress.h"
#include "ctl/terminal.h"

#define SUFFIX    ".sealed"
#define PATH_SIZE 4096

/* ---- paths ---- */

static bool
is_standard(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* "", ".", ".." and "/", alone or behind other directories; `len` leaves slashes at the end out. */
static bool
has_no_name(const char *path, size_t len)
{
	size_t dots = 0;
	while (dots < len && path[len - dots - 1] == '.')
		dots++;
	return len == 0 || path[len - 1] == '/' ||
	       (dots > 0 && dots <= 2 && (dots == len || path[len - dots - 1] == '/'));
}

/* --out, or PATH.sealed, or standard output for standard input. */
static bool
sealed_path(const struct seal_work *work, char *out, struct err *err)
{
	const char *path = work->path, *given = work->out;
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	int written;
	if (given == NULL && has_no_name(path, len))
		return err_set(err, ERR_CLIENT_USAGE,
			"%s has no name to put " SUFFIX " behind: say by --out where it goes.",
			path);
	if (given != NULL || is_standard(path))
		written = snprintf(out, PATH_SIZE, "%s", given != NULL ? given : "-");
	else
		written = snprintf(out, PATH_SIZE, "%.*s" SUFFIX, (int)len, path);
	return (written >= 0 && written < PATH_SIZE) ||
	       err_set(err, ERR_CLIENT_USAGE, "The path is too long.");
}

/* --out, or FILE without .sealed, or standard output for standard input. */
static bool
opened_path(const struct seal_work *work, char *out, struct err *err)
{
	const char *path = work->path, *given = work->out;
	size_t len = strlen(path);
	size_t suffix = sizeof(SUFFIX) - 1;
	bool named = len > suffix && strcmp(path + len - suffix, SUFFIX) == 0 &&
		     path[len - suffix - 1] != '/';
	if (given == NULL && !is_standard(path) && !named)
		return err_set(err, ERR_CLIENT_USAGE,
			"%s does not end in " SUFFIX ": say by --out where it goes.", path);
	int written;
	if (given != NULL || is_standard(path))
		written = snprintf(out, PATH_SIZE, "%s", given != NULL ? given : "-");
	else
		written = snprintf(out, PATH_SIZE, "%.*s", (int)(len - suffix), path);
	return (written >= 0 && written < PATH_SIZE) ||
	       err_set(err, ERR_CLIENT_USAGE, "The path is too long.");
}

static int
open_input(const char *path, struct err *err)
{
	if (is_standard(path))
		return STDIN_FILENO;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		(void)err_set(
			err, ERR_CLIENT_FILE, "%s cannot be read: %s.", path, strerror(errno));
	return fd;
}

static void
close_input(int fd)
{
	if (fd > STDIN_FILENO)
		(void)close(fd); /* only read */
}

/* ---- seal ---- */

static bool
seal_content(const struct ctl *ctl, const struct seal_work *work,
	const struct custody_sealing *sealing, bool tree, int in, int out,
	struct custody_error *error)
{
	if (work->scope != NULL)
		return tree ? custody_scope_seal_tree(
				      ctl->client, work->scope, sealing, work->path, out, error)
			    : custody_scope_seal_fd(
				      ctl->client, work->scope, sealing, in, out, error);
	return tree ? custody_seal_tree(ctl->client, sealing, work->path, out, error)
		    : custody_seal_fd(ctl->client, sealing, in, out, error);
}

static int
seal_to(const struct ctl *ctl, const struct seal_work *work, const struct custody_sealing *sealing,
	struct outfile *file)
{
	struct err err;
	struct custody_error error;
	struct stat status;
	struct progress progress;
	int in = open_input(work->path, &err);
	if (in < 0)
		return ctl_fail(ctl, &err);
	bool tree = fstat(in, &status) == 0 && S_ISDIR(status.st_mode);
	struct custody_sealing shown = *sealing;
	shown.progress = progress_tick;
	shown.progress_data = &progress;
	progress_begin(&progress);
	bool done = seal_content(ctl, work, &shown, tree, in, file->fd, &error);
	progress_end(&progress);
	close_input(in);
	if (!done)
		return ctl_fail_call(ctl, &error);
	return outfile_finish(file, &err) ? EXIT_OK : ctl_fail(ctl, &err);
}

int
seal_work_seal(struct ctl *ctl, const struct seal_work *work)
{
	struct err err;
	char out[PATH_SIZE];
	uint64_t skipped = 0;
	struct custody_sealing sealing = *work->sealing;
	CLEAN(outfile)
	struct outfile file = {.fd = -1};
	if (!sealed_path(work, out, &err))
		return ctl_fail(ctl, &err);
	if (is_standard(out) && isatty(STDOUT_FILENO) == 1)
		return ctl_fail_usage(ctl, "Sealed content is not for a terminal: use --out FILE.");
	if (!outfile_open(out, work->replace, &file, &err))
		return ctl_fail(ctl, &err);
	sealing.skipped = &skipped;
	int exit_code = seal_to(ctl, work, &sealing, &file);
	if (exit_code == EXIT_OK && skipped > 0)
		ctl_warn(ctl, "devices, sockets and FIFOs are not sealed; %" PRIu64 " left out.",
			skipped);
	return exit_code;
}

/* ---- open ---- */

static int
open_to_file(const struct ctl *ctl, const struct seal_work *work, struct custody_opening *opening,
	struct progress *progress, const char *out)
{
	struct err err;
	struct custody_error error;
	CLEAN(outfile)
	struct outfile file = {.fd = -1};
	if (!outfile_open(out, work->replace, &file, &err))
		return ctl_fail(ctl, &err);
	bool done = custody_open_fd(opening, file.fd, &error);
	progress_end(progress);
	if (!done) {
		int exit_code = ctl_fail_call(ctl, &error);
		if (file.standard)
			ctl_warn(ctl, "what came out on standard output is a part: throw it away.");
		return exit_code;
	}
	return outfile_finish(&file, &err) ? EXIT_OK : ctl_fail(ctl, &err);
}

static int
open_to_tree(const struct ctl *ctl, struct custody_opening *opening, struct progress *progress,
	const char *out)
{
	struct custody_error error;
	bool done = custody_open_tree(opening, out, &error);
	progress_end(progress);
	return done ? EXIT_OK : ctl_fail_call(ctl, &error);
}

static bool
begin_opening(const struct ctl *ctl, const struct seal_work *work,
	const struct custody_sealing *sealing, int in, struct custody_opening **ret_opening,
	struct custody_error *error)
{
	if (work->scope != NULL)
		return custody_scope_open_begin(ctl->client, sealing, in, ret_opening, error);
	return custody_open_begin(ctl->client, sealing, in, ret_opening, error);
}

static int
open_from(const struct ctl *ctl, const struct seal_work *work, struct progress *progress, int in,
	const char *out)
{
	struct custody_error error;
	struct custody_opening *opening = NULL;
	struct custody_sealing sealing = *work->sealing;
	int exit_code;
	sealing.progress = progress_tick;
	sealing.progress_data = progress;
	if (!begin_opening(ctl, work, &sealing, in, &opening, &error))
		return ctl_fail_call(ctl, &error);
	const struct custody_opened *info = custody_opening_info(opening);
	if (info->degraded)
		ctl_warn(ctl,
			"degraded: only %s opened it; look after the other key, or seal the "
			"content again.",
			info->key_id);
	if (custody_opening_kind(opening) != CUSTODY_SEALED_TREE || is_standard(out))
		exit_code = open_to_file(ctl, work, opening, progress, out);
	else
		exit_code = open_to_tree(ctl, opening, progress, out);
	custody_open_end(opening);
	return exit_code;
}

/* Looked at again when the result gets its name; here so that nobody waits for a refusal. */
static bool
check_free(const struct seal_work *work, const char *out, struct err *err)
{
	struct stat status;
	if (is_standard(out))
		return terminal_allows_secret(STDOUT_FILENO, work->show_secret, err);
	if (lstat(out, &status) != 0 || (work->replace && !S_ISDIR(status.st_mode)))
		return true;
	return err_set(err, ERR_CLIENT_FILE,
		"%s exists; remove it, choose another name by --out, or use --force for a file.",
		out);
}

int
seal_work_open(struct ctl *ctl, const struct seal_work *work)
{
	struct err err;
	char out[PATH_SIZE];
	struct progress progress;
	if (!opened_path(work, out, &err) || !check_free(work, out, &err))
		return ctl_fail(ctl, &err);
	int in = open_input(work->path, &err);
	if (in < 0)
		return ctl_fail(ctl, &err);
	progress_begin(&progress);
	int exit_code = open_from(ctl, work, &progress, in, out);
	close_input(in);
	return exit_code;
}
