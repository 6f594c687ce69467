/*
 * The container around the stream. Invariant: plaintext leaves this file only after its segment proved right,
 * and "the end" is told only after the segment that is sealed as the last one did.
 */
#include "sealed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "seal/fdio.h"
#include "seal/pump.h"
#include "seal/stream.h"

#define MAGIC_LEN  8
#define LENGTH_LEN 4

/* Where things stand in a header (sealed.h). */
enum {
	AT_VERSION = MAGIC_LEN,
	AT_ID = AT_VERSION + 1,
	AT_CIPHER = AT_ID + SEALED_ID_LEN,
	AT_KIND,
	AT_HOLDER,
	AT_LENGTH,
};
_Static_assert(AT_LENGTH == SEALED_CONTEXT_LEN, "the context is all that stands before the length");

#define FORMAT_VERSION  1
#define CIPHER_TINK_1MB 1

/* An octet above 127, CR, LF: a transfer that mangles text mangles this too. */
static const uint8_t magic[MAGIC_LEN] = {0x89, 'C', 'S', 'E', 'A', 'L', '\r', '\n'};

static bool
corrupt(struct err *err, const char *why)
{
	(void)err_set(err, ERR_SEALED_CORRUPT, NULL);
	return err_origin(err, "%s", why);
}

static bool
read_whole(int fd, void *data, size_t len, const char *what, struct err *err)
{
	size_t got = 0;
	return fdio_read(fd, data, len, -1, &got, err) && (got == len || corrupt(err, what));
}

static struct bytes
associated(const struct sealed_header *header)
{
	return (struct bytes){header->context, SEALED_CONTEXT_LEN};
}

static void
make_header(enum sealed_kind kind, enum sealed_holder holder, struct sealed_header *ret_header)
{
	ret_header->kind = kind;
	ret_header->holder = holder;
	memcpy(ret_header->context, magic, MAGIC_LEN);
	ret_header->context[AT_VERSION] = FORMAT_VERSION;
	random_bytes(ret_header->context + AT_ID, SEALED_ID_LEN);
	ret_header->context[AT_CIPHER] = CIPHER_TINK_1MB;
	ret_header->context[AT_KIND] = (uint8_t)kind;
	ret_header->context[AT_HOLDER] = (uint8_t)holder;
}

void
sealed_header_new(enum sealed_kind kind, struct sealed_header *ret_header)
{
	make_header(kind, SEALED_BY_ENVELOPE, ret_header);
}

void
sealed_header_new_scope(enum sealed_kind kind, const uint8_t key_id[static SEALED_KEY_ID_LEN],
	struct sealed_header *ret_header)
{
	make_header(kind, SEALED_BY_SCOPE, ret_header);
	memcpy(ret_header->context + AT_ID, key_id, SEALED_KEY_ID_LEN);
}

bool
sealed_header_has_key(
	const struct sealed_header *header, const uint8_t key_id[static SEALED_KEY_ID_LEN])
{
	return memcmp(header->context + AT_ID, key_id, SEALED_KEY_ID_LEN) == 0;
}

static bool
check_context(const uint8_t *context, struct err *err)
{
	if (memcmp(context, magic, MAGIC_LEN) != 0)
		return corrupt(err, "magic");
	uint8_t kind = context[AT_KIND], holder = context[AT_HOLDER];
	if (context[AT_VERSION] != FORMAT_VERSION || context[AT_CIPHER] != CIPHER_TINK_1MB ||
		(holder != SEALED_BY_ENVELOPE && holder != SEALED_BY_SCOPE) ||
		(kind != SEALED_FILE && kind != SEALED_TREE))
		return corrupt(err, "version or parameters");
	return true;
}

bool
sealed_read_header(int fd, struct sealed_header *ret_header, struct buf *envelope, struct err *err)
{
	uint8_t head[SEALED_CONTEXT_LEN + LENGTH_LEN];
	if (!read_whole(fd, head, sizeof(head), "header cut off", err) || !check_context(head, err))
		return false;
	size_t len = 0;
	for (size_t i = AT_LENGTH; i < sizeof(head); i++)
		len = len << 8 | head[i];
	if (len == 0 || len > SEALED_ENVELOPE_MAX)
		return corrupt(err, "length of the envelope");
	uint8_t *room = buf_reserve(envelope, len);
	if (room == NULL)
		return envelope->no_memory ? err_set(err, ERR_NO_MEMORY, NULL)
					   : corrupt(err, "length of the envelope");
	if (!read_whole(fd, room, len, "envelope cut off", err))
		return false;
	buf_add_len(envelope, len);
	ret_header->kind = head[AT_KIND];
	ret_header->holder = head[AT_HOLDER];
	memcpy(ret_header->context, head, SEALED_CONTEXT_LEN);
	return true;
}

/* Everything in front of the first segment. */
static bool
write_head(int out, const struct sealed_header *header, struct bytes envelope,
	const uint8_t stream_header[static STREAM_HEADER_LEN], struct err *err)
{
	assert(envelope.len > 0 && envelope.len <= SEALED_ENVELOPE_MAX);
	CLEAN(buf)
	struct buf head;
	buf_init_soft(
		&head, SEALED_CONTEXT_LEN + LENGTH_LEN + SEALED_ENVELOPE_MAX + STREAM_HEADER_LEN);
	uint8_t length[LENGTH_LEN];
	for (unsigned i = 0; i < LENGTH_LEN; i++)
		length[i] = (uint8_t)(envelope.len >> (24 - 8 * i));
	(void)buf_append(&head, header->context, SEALED_CONTEXT_LEN);
	(void)buf_append(&head, length, LENGTH_LEN);
	(void)buf_append(&head, envelope.data, envelope.len);
	(void)buf_append(&head, stream_header, STREAM_HEADER_LEN);
	if (head.no_memory)
		return err_set(err, ERR_NO_MEMORY, NULL);
	assert(!head.overflow);
	return fdio_write(out, head.data, head.len, err);
}

/* A stream for sealing, its header and the container's already written. */
static struct stream *
begin_seal(int out, const struct sealed_header *header, struct bytes envelope,
	const struct secret *key, struct err *err)
{
	uint8_t stream_header[STREAM_HEADER_LEN];
	CLEAN(stream)
	struct stream *stream = stream_new_seal(key, associated(header), stream_header, err);
	if (stream == NULL || !write_head(out, header, envelope, stream_header, err))
		return NULL;
	struct stream *result = stream;
	stream = NULL;
	return result;
}

static struct stream *
begin_open(int in, const struct sealed_header *header, const struct secret *key, struct err *err)
{
	uint8_t stream_header[STREAM_HEADER_LEN];
	if (!read_whole(in, stream_header, sizeof(stream_header), "stream cut off", err))
		return NULL;
	return stream_new_open(key, associated(header), stream_header, err);
}

static bool
seal_piece(void *worker, uint32_t number, bool last, uint8_t *data, size_t len, size_t *ret_len,
	struct err *err)
{
	*ret_len = len + STREAM_TAG_LEN;
	return stream_seal(worker, number, last, (struct bytes){data, len}, data, err);
}

static bool
open_piece(void *worker, uint32_t number, bool last, uint8_t *data, size_t len, size_t *ret_len,
	struct err *err)
{
	if (!stream_open(worker, number, last, (struct bytes){data, len}, data, err))
		return false;
	*ret_len = len - STREAM_TAG_LEN;
	return true;
}

static const struct pump_way seal_way = {stream_plaintext_len, seal_piece};
static const struct pump_way open_way = {stream_ciphertext_len, open_piece};

static bool
run_pump(int in, int out, const struct pump_way *way, struct stream *stream,
	sealed_progress *progress, void *progress_data, struct err *err)
{
	CLEAN(stream)
	struct stream *second = stream_dup(stream, err);
	void *const workers[PUMP_THREADS] = {stream, second};
	return second != NULL && pump_run(in, out, way, workers, progress, progress_data, err);
}

bool
sealed_seal(int in, int out, const struct sealed_header *header, struct bytes envelope,
	const struct secret *key, sealed_progress *progress, void *progress_data, struct err *err)
{
	CLEAN(stream)
	struct stream *stream = begin_seal(out, header, envelope, key, err);
	return stream != NULL && run_pump(in, out, &seal_way, stream, progress, progress_data, err);
}

bool
sealed_open(int in, int out, const struct sealed_header *header, const struct secret *key,
	sealed_progress *progress, void *progress_data, struct err *err)
{
	CLEAN(stream)
	struct stream *stream = begin_open(in, header, key, err);
	return stream != NULL && run_pump(in, out, &open_way, stream, progress, progress_data, err);
}

/* ---- push and pull ---- */

struct sealed_writer {
	int out;
	struct stream *stream;
	uint32_t number;
	size_t len; /* of plaintext waiting in `data` */
	uint8_t data[STREAM_SEGMENT_LEN];
};

struct sealed_writer *
sealed_writer_new(int out, const struct sealed_header *header, struct bytes envelope,
	const struct secret *key, struct err *err)
{
	CLEAN(sealed_writer)
	struct sealed_writer *writer = malloc(sizeof(*writer));
	if (writer == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	writer->out = out;
	writer->number = 0;
	writer->len = 0;
	writer->stream = begin_seal(out, header, envelope, key, err);
	if (writer->stream == NULL)
		return NULL;
	struct sealed_writer *result = writer;
	writer = NULL;
	return result;
}

static bool
write_segment(struct sealed_writer *writer, bool last, struct err *err)
{
	size_t len = 0;
	if (writer->number == UINT32_MAX)
		return err_set(err, ERR_CLIENT_FILE, "The input is too long.");
	if (!seal_piece(
		    writer->stream, writer->number, last, writer->data, writer->len, &len, err) ||
		!fdio_write(writer->out, writer->data, len, err))
		return false;
	writer->number++;
	writer->len = 0;
	return true;
}

bool
sealed_writer_push(struct sealed_writer *writer, const void *data, size_t len, struct err *err)
{
	const uint8_t *next = data;
	while (len > 0) {
		/* A full segment waits until it is known not to be the last. */
		size_t full = stream_plaintext_len(writer->number);
		if (writer->len == full) {
			if (!write_segment(writer, false, err))
				return false;
			full = stream_plaintext_len(writer->number);
		}
		size_t part = len < full - writer->len ? len : full - writer->len;
		memcpy(writer->data + writer->len, next, part);
		writer->len += part;
		next += part;
		len -= part;
	}
	return true;
}

bool
sealed_writer_finish(struct sealed_writer *writer, struct err *err)
{
	return write_segment(writer, true, err);
}

void
sealed_writer_free(struct sealed_writer *writer)
{
	if (writer == NULL)
		return;
	stream_free(writer->stream);
	secret_wipe(writer->data, sizeof(writer->data));
	free(writer);
}

struct sealed_reader {
	int in;
	struct stream *stream;
	uint32_t number;
	bool ended;
	bool has_carry; /* the first octet of the next segment was read */
	uint8_t carry;
	uint8_t data[STREAM_SEGMENT_LEN + 1];
};

struct sealed_reader *
sealed_reader_new(
	int in, const struct sealed_header *header, const struct secret *key, struct err *err)
{
	CLEAN(sealed_reader)
	struct sealed_reader *reader = malloc(sizeof(*reader));
	if (reader == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	reader->in = in;
	reader->number = 0;
	reader->ended = false;
	reader->has_carry = false;
	reader->stream = begin_open(in, header, key, err);
	if (reader->stream == NULL)
		return NULL;
	struct sealed_reader *result = reader;
	reader = NULL;
	return result;
}

/* One octet more than the segment is read, to know whether it is the last. */
static bool
read_segment(struct sealed_reader *reader, size_t *ret_len, bool *ret_last, struct err *err)
{
	size_t full = stream_ciphertext_len(reader->number);
	size_t have = 0;
	size_t got = 0;
	if (reader->has_carry)
		reader->data[have++] = reader->carry;
	if (!fdio_read(reader->in, reader->data + have, full + 1 - have, -1, &got, err))
		return false;
	have += got;
	*ret_last = have <= full;
	*ret_len = *ret_last ? have : full;
	reader->has_carry = !*ret_last;
	if (reader->has_carry)
		reader->carry = reader->data[full];
	return true;
}

bool
sealed_reader_pull(struct sealed_reader *reader, struct bytes *ret_data, struct err *err)
{
	size_t len = 0;
	bool last = true;
	if (reader->ended) {
		*ret_data = (struct bytes){reader->data, 0};
		return true;
	}
	if (reader->number == UINT32_MAX)
		return corrupt(err, "too many segments");
	if (!read_segment(reader, &len, &last, err) ||
		!open_piece(reader->stream, reader->number, last, reader->data, len, &len, err))
		return false;
	reader->number++;
	reader->ended = last;
	*ret_data = (struct bytes){reader->data, len};
	return true;
}

void
sealed_reader_free(struct sealed_reader *reader)
{
	if (reader == NULL)
		return;
	stream_free(reader->stream);
	secret_wipe(reader->data, sizeof(reader->data));
	free(reader);
}
