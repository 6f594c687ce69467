/* Invariant: a data key is in locked memory, and nowhere else once a call returns. */
#include "sealing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/client_call.h"
#include "seal/stream.h"
#include "seal/tree.h"

bool
sealing_read(const struct custody_sealing *given, struct custody_sealing *ret_sealing,
	struct custody_error *error)
{
	*ret_sealing = (struct custody_sealing){.size = sizeof(*ret_sealing)};
	if (given != NULL && (given->size == 0 || given->size > sizeof(*ret_sealing)))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"struct custody_sealing is not one that this version of libcustody knows.");
	if (given != NULL)
		memcpy(ret_sealing, given, given->size);
	if (ret_sealing->context.len > CUSTODY_CONTEXT_MAX)
		return call_fail_code(error, ERR_BAD_PARAMETER, "The context is too long.");
	return true;
}

void
sealing_parts_init(struct sealing_parts *parts)
{
	parts->key = NULL;
	buf_init_soft(&parts->wrap, SEALED_ENVELOPE_MAX);
}

void
sealing_parts_clear(struct sealing_parts *parts)
{
	secret_free(parts->key);
	buf_clear(&parts->wrap);
}

bool
sealing_take_key(struct custody_bytes octets, struct secret **ret_key, struct custody_error *error)
{
	if (octets.len != STREAM_KEY_LEN)
		return call_fail_code(error, ERR_SEALED_CORRUPT, NULL);
	struct secret *key = secret_from(octets.data, octets.len);
	if (key == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_key = key;
	return true;
}

/* ---- progress ---- */

struct meter {
	custody_progress *progress;
	void *data;
	uint64_t total;
	bool stopped;
};

static bool
tick(void *data, uint64_t done)
{
	struct meter *meter = data;
	if (meter->progress != NULL && !meter->progress(meter->data, done, meter->total))
		meter->stopped = true;
	return !meter->stopped;
}

/* What is left to read of a regular file; 0 for anything else. */
static uint64_t
size_of(int fd)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return 0;
	off_t at = lseek(fd, 0, SEEK_CUR);
	return at < 0 || at > status.st_size ? 0 : (uint64_t)(status.st_size - at);
}

static bool
finish(bool done, const struct meter *meter, const struct err *err, struct custody_error *error)
{
	if (done)
		return true;
	return meter->stopped ? call_fail_code(error, ERR_CLIENT_INTERRUPTED, NULL)
			      : call_fail(error, err);
}

/* ---- seal ---- */

static bool
check_unchanged(int fd, const struct stat *before, struct err *err)
{
	struct stat now;
	return (fstat(fd, &now) == 0 && now.st_size == before->st_size &&
		       now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
		       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec) ||
	       err_set(err, ERR_CLIENT_FILE,
		       "The file changed while it was sealed; seal it again.");
}

bool
sealing_fd(const struct custody_sealing *sealing, const struct sealing_parts *parts, int in,
	int out, struct custody_error *error)
{
	struct err err;
	struct stat before;
	struct meter meter = {sealing->progress, sealing->progress_data, size_of(in), false};
	bool file = fstat(in, &before) == 0 && S_ISREG(before.st_mode);
	bool done = sealed_seal(
		in, out, &parts->header, buf_bytes(&parts->wrap), parts->key, tick, &meter, &err);
	done = done && (!file || check_unchanged(in, &before, &err));
	return finish(done, &meter, &err, error);
}

bool
sealing_tree(const struct custody_sealing *sealing, const struct sealing_parts *parts,
	const char *path, int out, struct custody_error *error)
{
	struct err err;
	struct tree_count count;
	struct meter meter = {sealing->progress, sealing->progress_data, 0, false};
	bool done = tree_seal(path, out, &parts->header, buf_bytes(&parts->wrap), parts->key, tick,
		&meter, &count, &err);
	if (done && sealing->skipped != NULL)
		*sealing->skipped = count.skipped;
	return finish(done, &meter, &err, error);
}

/* ---- open ---- */

static bool
read_header(struct custody_opening *opening, enum sealed_holder holder, struct buf *wrap,
	struct custody_error *error)
{
	struct err err;
	if (!sealed_read_header(opening->in, &opening->header, wrap, &err))
		return call_fail(error, &err);
	if (opening->header.holder == holder)
		return true;
	return call_fail_code(error, ERR_BAD_PARAMETER,
		holder == SEALED_BY_ENVELOPE
			? "It is sealed under a scope, not under two keys: depctl open opens it."
			: "It is sealed under two keys, not under a scope: custodyctl open opens "
			  "it.");
}

struct custody_opening *
sealing_begin_opening(const struct custody_sealing *sealing, int in, enum sealed_holder holder,
	struct buf *wrap, struct custody_error *error)
{
	struct custody_opening *opening = calloc(1, sizeof(*opening));
	if (opening == NULL) {
		(void)call_fail_code(error, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	opening->in = in;
	opening->progress = sealing->progress;
	opening->progress_data = sealing->progress_data;
	if (!read_header(opening, holder, wrap, error)) {
		custody_open_end(opening);
		return NULL;
	}
	return opening;
}

enum custody_sealed_kind
custody_opening_kind(const struct custody_opening *opening)
{
	return opening->header.kind == SEALED_TREE ? CUSTODY_SEALED_TREE : CUSTODY_SEALED_STREAM;
}

const struct custody_opened *
custody_opening_info(const struct custody_opening *opening)
{
	return &opening->opened;
}

/* Only custody_data_key_open_begin() gives an opening without a key. */
static bool
check_key(const struct custody_opening *opening, struct custody_error *error)
{
	return opening->key != NULL ||
	       call_fail_code(error, ERR_BAD_PARAMETER, "The opening has no data key yet.");
}

bool
custody_open_fd(struct custody_opening *opening, int out, struct custody_error *error)
{
	struct err err;
	struct meter meter = {
		opening->progress, opening->progress_data, size_of(opening->in), false};
	if (!check_key(opening, error))
		return false;
	bool done =
		sealed_open(opening->in, out, &opening->header, opening->key, tick, &meter, &err);
	return finish(done, &meter, &err, error);
}

bool
custody_open_tree(struct custody_opening *opening, const char *target, struct custody_error *error)
{
	struct err err;
	struct tree_count count;
	struct meter meter = {
		opening->progress, opening->progress_data, size_of(opening->in), false};
	if (!check_key(opening, error))
		return false;
	if (opening->header.kind != SEALED_TREE)
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "The content is not a sealed tree.");
	bool done = tree_open(opening->in, target, false, &opening->header, opening->key, tick,
		&meter, &count, &err);
	return finish(done, &meter, &err, error);
}

void
custody_open_end(struct custody_opening *opening)
{
	if (opening == NULL)
		return;
	secret_free(opening->key);
	free(opening->wrapped);
	free(opening);
}
