/*
 * Content sealed under a scope (doc/envelope.md): a data key of the scope seals, depd opens it again. The data key's id is in
 * the associated data of its wrap and in the file id, so the two belong together.
 */
#include "custody/custody.h"

#include <stdlib.h>
#include <string.h>

#include "lib/client_call.h"
#include "lib/data_key.h"
#include "lib/sealing.h"

static bool
read_sealing(const struct custody_sealing *given, struct custody_sealing *ret_sealing,
	struct custody_error *error)
{
	if (!sealing_read(given, ret_sealing, error))
		return false;
	return ret_sealing->context.len == 0 ||
	       call_fail_code(error, ERR_BAD_PARAMETER,
		       "Content that is sealed under a scope has no context.");
}

/* ---- seal ---- */

/* `wrapped` as text is what programs keep; the header has its octets. */
static bool
fill_parts(struct custody_bytes key, const char *wrapped, enum sealed_kind kind,
	struct sealing_parts *parts, struct custody_error *error)
{
	struct dep_token token;
	uint8_t octets[DEP_TOKEN_MAX];
	if (!data_key_token(wrapped, &token, error))
		return false;
	(void)buf_append(&parts->wrap, octets, dep_token_format(&token, octets));
	if (parts->wrap.overflow)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	sealed_header_new_scope(kind, token.data_key, &parts->header);
	return sealing_take_key(key, &parts->key, error);
}

static bool
make_parts(struct custody_client *client, const struct custody_scope *scope, enum sealed_kind kind,
	struct sealing_parts *parts, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	char *wrapped = NULL;
	if (!custody_data_key_generate(client, scope, &key, &wrapped, error))
		return false;
	bool filled =
		fill_parts((struct custody_bytes){key.data, key.len}, wrapped, kind, parts, error);
	custody_secret_free(&key);
	custody_text_free(wrapped);
	return filled;
}

bool
custody_scope_seal_fd(struct custody_client *client, const struct custody_scope *scope,
	const struct custody_sealing *sealing, int in, int out, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts;
	sealing_parts_init(&parts);
	return read_sealing(sealing, &known, error) &&
	       make_parts(client, scope, SEALED_FILE, &parts, error) &&
	       sealing_fd(&known, &parts, in, out, error);
}

bool
custody_scope_seal_tree(struct custody_client *client, const struct custody_scope *scope,
	const struct custody_sealing *sealing, const char *path, int out,
	struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts;
	sealing_parts_init(&parts);
	return read_sealing(sealing, &known, error) &&
	       make_parts(client, scope, SEALED_TREE, &parts, error) &&
	       sealing_tree(&known, &parts, path, out, error);
}

/* ---- open ---- */

static bool
read_wrap(struct custody_opening *opening, struct bytes wrap, struct custody_error *error)
{
	struct err err;
	if (!dep_token_parse(wrap, &opening->token, &err) ||
		scope_kind_word(opening->token.kind) == NULL ||
		!sealed_header_has_key(&opening->header, opening->token.data_key))
		return call_fail_code(error, ERR_SEALED_CORRUPT, NULL);
	opening->scope =
		(struct custody_scope){scope_kind_word(opening->token.kind), opening->token.id};
	opening->wrapped = malloc(b64_encoded_len(wrap.len) + 1);
	if (opening->wrapped == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	b64_encode(wrap.data, wrap.len, opening->wrapped);
	return true;
}

bool
custody_data_key_open_begin(const struct custody_sealing *sealing, int in,
	struct custody_opening **ret_opening, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(buf)
	struct buf wrap;
	buf_init_soft(&wrap, SEALED_ENVELOPE_MAX);
	if (!read_sealing(sealing, &known, error))
		return false;
	struct custody_opening *opening =
		sealing_begin_opening(&known, in, SEALED_BY_SCOPE, &wrap, error);
	if (opening == NULL)
		return false;
	if (!read_wrap(opening, buf_bytes(&wrap), error)) {
		custody_open_end(opening);
		return false;
	}
	*ret_opening = opening;
	return true;
}

const struct custody_scope *
custody_opening_scope(const struct custody_opening *opening)
{
	return opening->wrapped != NULL ? &opening->scope : NULL;
}

static bool
unwrap_key(
	struct custody_client *client, struct custody_opening *opening, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	if (!custody_data_key_unwrap(client, &opening->scope, opening->wrapped, &key, error))
		return false;
	bool taken =
		sealing_take_key((struct custody_bytes){key.data, key.len}, &opening->key, error);
	custody_secret_free(&key);
	return taken;
}

bool
custody_scope_open_begin(struct custody_client *client, const struct custody_sealing *sealing,
	int in, struct custody_opening **ret_opening, struct custody_error *error)
{
	struct custody_opening *opening;
	if (!custody_data_key_open_begin(sealing, in, &opening, error))
		return false;
	if (!unwrap_key(client, opening, error)) {
		custody_open_end(opening);
		return false;
	}
	*ret_opening = opening;
	return true;
}

/* ---- many, without a call for each ---- */

bool
custody_data_key_seal_fd(const struct custody_data_key *key, const struct custody_sealing *sealing,
	int in, int out, struct custody_error *error)
{
	struct custody_sealing known;
	CLEAN(sealing_parts)
	struct sealing_parts parts;
	sealing_parts_init(&parts);
	if (key->wrapped == NULL)
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "Only a data key that was generated seals.");
	return read_sealing(sealing, &known, error) &&
	       fill_parts((struct custody_bytes){key->key.data, key->key.len}, key->wrapped,
		       SEALED_FILE, &parts, error) &&
	       sealing_fd(&known, &parts, in, out, error);
}

const char *
custody_opening_wrapped(const struct custody_opening *opening)
{
	return opening->wrapped;
}

bool
custody_opening_give_key(struct custody_opening *opening, const struct custody_data_key *key,
	struct custody_error *error)
{
	if (opening->key != NULL)
		return call_fail_code(error, ERR_BAD_PARAMETER, "The opening has its data key.");
	if (key->name[0] != '\0') {
		*error = (struct custody_error){.error_class = key->error_class};
		memcpy(error->name, key->name, sizeof(error->name));
		memcpy(error->message, key->message, sizeof(error->message));
		return false;
	}
	return sealing_take_key(
		(struct custody_bytes){key->key.data, key->key.len}, &opening->key, error);
}
