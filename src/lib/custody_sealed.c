/*
 * Content sealed under two keys (doc/envelope.md): a data key from /dual/generatekey seals, /dual/unwrapkey gives it back. The
 * context of the envelope is the header's first 44 octets, then the caller's context: of fixed length first,
 * so that no two pairs read the same.
 */
#include "custody/custody.h"

#include <string.h>

#include "lib/client_call.h"
#include "lib/sealing.h"
#include "seal/stream.h"

#define CONTEXT_SIZE (SEALED_CONTEXT_LEN + CUSTODY_CONTEXT_MAX)

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
	bool taken =
		sealing_take_key((struct custody_bytes){octets->data, octets->len}, ret_key, error);
	custody_secret_free(octets);
	return taken;
}

static bool
make_parts(struct custody_client *client, const struct custody_sealing *sealing,
	enum sealed_kind kind, struct sealing_parts *parts, struct custody_error *error)
{
	uint8_t room[CONTEXT_SIZE];
	struct custody_secret octets = {NULL, 0};
	char *envelope = NULL;
	sealed_header_new(kind, &parts->header);
	if (!custody_dual_generate(client, sealing->key_ids,
		    full_context(&parts->header, sealing, room), STREAM_KEY_LEN, &octets, &envelope,
		    error))
		return false;
	(void)buf_text(&parts->wrap, envelope);
	custody_text_free(envelope);
	if (!take_key(&octets, &parts->key, error))
		return false;
	if (!parts->wrap.overflow)
		return true;
	return call_fail_code(
		error, parts->wrap.no_memory ? ERR_NO_MEMORY : ERR_CLIENT_ANSWER, NULL);
}

bool
custody_seal_fd(struct custody_client *client, const struct custody_sealing *sealing, int in,
	int out, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts;
	sealing_parts_init(&parts);
	return sealing_read(sealing, &known, error) &&
	       make_parts(client, &known, SEALED_FILE, &parts, error) &&
	       sealing_fd(&known, &parts, in, out, error);
}

bool
custody_seal_tree(struct custody_client *client, const struct custody_sealing *sealing,
	const char *path, int out, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts;
	sealing_parts_init(&parts);
	return sealing_read(sealing, &known, error) &&
	       make_parts(client, &known, SEALED_TREE, &parts, error) &&
	       sealing_tree(&known, &parts, path, out, error);
}

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

bool
custody_open_begin(struct custody_client *client, const struct custody_sealing *sealing, int in,
	struct custody_opening **ret_opening, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(buf)
	struct buf envelope;
	buf_init_soft(&envelope, SEALED_ENVELOPE_MAX);
	if (!sealing_read(sealing, &known, error))
		return false;
	struct custody_opening *opening =
		sealing_begin_opening(&known, in, SEALED_BY_ENVELOPE, &envelope, error);
	if (opening == NULL)
		return false;
	if (!open_key(client, &known, buf_peek(&envelope), opening, error)) {
		custody_open_end(opening);
		return false;
	}
	*ret_opening = opening;
	return true;
}
