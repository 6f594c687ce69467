/*
 * Sealed content (doc/envelope.md): a data key from /dual/generatekey seals, /dual/unwrapkey gives it back. The
 * context of the envelope is the header's first 44 octets, then the caller's context: of fixed length first,
 * so that no two pairs read the same.
 */
#include "custody/custody.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "lib/client_call.h"
#include "seal/sealed.h"
#include "seal/stream.h"
#include "seal/tree.h"

#define CONTEXT_SIZE (SEALED_CONTEXT_LEN + CUSTODY_CONTEXT_MAX)

struct custody_opening {
	int in;
	struct sealed_header header;
	struct secret *key;
	struct custody_opened opened;
	custody_progress *progress;
	void *progress_data;
};

/* ---- what both directions need ---- */

static bool
read_sealing(const struct custody_sealing *given, struct custody_sealing *sealing,
	struct custody_error *error)
{
	*sealing = (struct custody_sealing){.size = sizeof(*sealing)};
	if (given != NULL && (given->size == 0 || given->size > sizeof(*sealing)))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"struct custody_sealing is not one that this version of libcustody knows.");
	if (given != NULL)
		memcpy(sealing, given, given->size);
	if (sealing->context.len > CUSTODY_CONTEXT_MAX)
		return call_fail_code(error, ERR_BAD_PARAMETER, "The context is too long.");
	return true;
}

static struct custody_bytes
full_context(const struct sealed_header *header, const struct custody_sealing *sealing,
	uint8_t room[static CONTEXT_SIZE])
{
	memcpy(room, header->context, SEALED_CONTEXT_LEN);
	if (sealing->context.len > 0)
		memcpy(room + SEALED_CONTEXT_LEN, sealing->context.data, sealing->context.len);
	return (struct custody_bytes){room, SEALED_CONTEXT_LEN + sealing->context.len};
}

/* The data key moves to locked memory; the copy is wiped. */
static bool
take_key(struct custody_secret *octets, struct secret **ret_key, struct custody_error *error)
{
	struct secret *key = NULL;
	bool length = octets->len == STREAM_KEY_LEN;
	if (length)
		key = secret_from(octets->data, octets->len);
	custody_secret_free(octets);
	if (!length)
		return call_fail_code(error, ERR_SEALED_CORRUPT, NULL);
	if (key == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_key = key;
	return true;
}

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

struct sealing_parts {
	struct sealed_header header;
	struct secret *key;
	char *envelope;
};

static void
sealing_parts_clean(struct sealing_parts *parts)
{
	secret_free(parts->key);
	custody_text_free(parts->envelope);
}

static bool
make_parts(struct custody_client *client, const struct custody_sealing *sealing,
	enum sealed_kind kind, struct sealing_parts *parts, struct custody_error *error)
{
	uint8_t room[CONTEXT_SIZE];
	struct custody_secret octets = {NULL, 0};
	sealed_header_new(kind, &parts->header);
	if (!custody_dual_generate(client, sealing->key_ids,
		    full_context(&parts->header, sealing, room), STREAM_KEY_LEN, &octets,
		    &parts->envelope, error) ||
		!take_key(&octets, &parts->key, error))
		return false;
	return strlen(parts->envelope) <= SEALED_ENVELOPE_MAX ||
	       call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
}

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
custody_seal_fd(struct custody_client *client, const struct custody_sealing *sealing, int in,
	int out, struct custody_error *error)
{
	struct err err;
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts = {.key = NULL};
	if (!read_sealing(sealing, &known, error) ||
		!make_parts(client, &known, SEALED_FILE, &parts, error))
		return false;
	struct meter meter = {known.progress, known.progress_data, size_of(in), false};
	struct stat before;
	bool file = fstat(in, &before) == 0 && S_ISREG(before.st_mode);
	bool done = sealed_seal(in, out, &parts.header, bytes_of_text(parts.envelope), parts.key,
		tick, &meter, &err);
	done = done && (!file || check_unchanged(in, &before, &err));
	return finish(done, &meter, &err, error);
}

bool
custody_seal_tree(struct custody_client *client, const struct custody_sealing *sealing,
	const char *path, int out, struct custody_error *error)
{
	struct err err;
	struct tree_count count;
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts = {.key = NULL};
	if (!read_sealing(sealing, &known, error) ||
		!make_parts(client, &known, SEALED_TREE, &parts, error))
		return false;
	struct meter meter = {known.progress, known.progress_data, 0, false};
	bool done = tree_seal(path, out, &parts.header, bytes_of_text(parts.envelope), parts.key,
		tick, &meter, &count, &err);
	if (done && known.skipped != NULL)
		*known.skipped = count.skipped;
	return finish(done, &meter, &err, error);
}

/* ---- open ---- */

static bool
open_key(struct custody_client *client, const struct custody_sealing *sealing, const char *envelope,
	struct custody_opening *opening, struct custody_error *error)
{
	uint8_t room[CONTEXT_SIZE];
	struct custody_secret octets = {NULL, 0};
	return custody_dual_unwrap(client, envelope, full_context(&opening->header, sealing, room),
		       &octets, &opening->opened, error) &&
	       take_key(&octets, &opening->key, error);
}

static bool
begin_opening(struct custody_client *client, const struct custody_sealing *sealing,
	struct custody_opening *opening, struct custody_error *error)
{
	struct err err;
	CLEAN(buf)
	struct buf envelope;
	buf_init_soft(&envelope, SEALED_ENVELOPE_MAX);
	if (!sealed_read_header(opening->in, &opening->header, &envelope, &err))
		return call_fail(error, &err);
	return open_key(client, sealing, buf_peek(&envelope), opening, error);
}

bool
custody_open_begin(struct custody_client *client, const struct custody_sealing *sealing, int in,
	struct custody_opening **ret_opening, struct custody_error *error)
{
	struct custody_sealing known;
	if (!read_sealing(sealing, &known, error))
		return false;
	struct custody_opening *opening = calloc(1, sizeof(*opening));
	if (opening == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	opening->in = in;
	opening->progress = known.progress;
	opening->progress_data = known.progress_data;
	if (!begin_opening(client, &known, opening, error)) {
		custody_open_end(opening);
		return false;
	}
	*ret_opening = opening;
	return true;
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

bool
custody_open_fd(struct custody_opening *opening, int out, struct custody_error *error)
{
	struct err err;
	struct meter meter = {
		opening->progress, opening->progress_data, size_of(opening->in), false};
	bool done =
		sealed_open(opening->in, out, &opening->header, opening->key, tick, &meter, &err);
	return finish(done, &meter, &err, error);
}

bool
custody_open_tree(struct custody_opening *opening, const char *target, struct custody_error *error)
{
	struct err err;
	struct tree_count count;
	if (opening->header.kind != SEALED_TREE)
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "The content is not a sealed tree.");
	struct meter meter = {
		opening->progress, opening->progress_data, size_of(opening->in), false};
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
	free(opening);
}
