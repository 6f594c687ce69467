/* custodyctl key encrypt ... unwrap: operations with one key. Plaintexts come from files and go to files. */
#include "custodyctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/b64.h"
#include "base/file.h"
#include "ctl/plaintext.h"
#include "ctl/terminal.h"

#define INPUT_MAX 65536

static const struct output_column result_columns[] = {
	{"Algorithm", "algorithm"},
	{"Kid",       "kid"      },
	{"Result",    "result"   },
	{"Iv",        "iv"       },
	{"Tag",       "tag"      },
	{NULL,        NULL       },
};

static const struct output_column signature_columns[] = {
	{"Algorithm", "algorithm"},
	{"Kid",       "keyId"    },
	{"Signature", "signature"},
	{NULL,        NULL       },
};

static const struct output_column verify_columns[] = {
	{"Algorithm", "algorithm"},
	{"Kid",       "keyId"    },
	{"IsValid",   "isValid"  },
	{NULL,        NULL       },
};

/* ---- what the options give ---- */

struct request {
	struct target target;
	const char *algorithm;
	struct buf input; /* plaintext, ciphertext or digest */
	struct buf iv;
	struct buf tag;
	struct buf aad;
	struct buf signature;
};

static void
request_init(struct request *request)
{
	*request = (struct request){.algorithm = NULL};
	buf_init(&request->input, INPUT_MAX);
	buf_init(&request->iv, INPUT_MAX);
	buf_init(&request->tag, INPUT_MAX);
	buf_init(&request->aad, INPUT_MAX);
	buf_init(&request->signature, INPUT_MAX);
}

static void
request_clean(struct request *request)
{
	buf_clear(&request->input);
	buf_clear(&request->iv);
	buf_clear(&request->tag);
	buf_clear(&request->aad);
	buf_clear(&request->signature);
}

static struct custody_bytes
octets_of(const struct buf *buf)
{
	return (struct custody_bytes){buf->data, buf->len};
}

/* az takes and gives iv, tag and aad as hexadecimal digits. */
static bool
read_hex(const struct ctl *ctl, enum option_id option, struct buf *octets, struct err *err)
{
	const char *text = cmdline_text(&ctl->options, option);
	if (text == NULL)
		return true;
	char folded[2 * 4096 + 1];
	size_t len = strlen(text) / 2;
	if (len == 0 || strlen(text) >= sizeof(folded))
		return err_set(err, ERR_CLIENT_USAGE, "--%s must be pairs of hexadecimal digits.",
			custodyctl_options[option].name);
	id_fold(text, folded);
	uint8_t *room = buf_reserve(octets, len);
	if (room == NULL || !hex_decode(folded, room, len))
		return err_set(err, ERR_CLIENT_USAGE, "--%s must be pairs of hexadecimal digits.",
			custodyctl_options[option].name);
	buf_add_len(octets, len);
	return true;
}

static bool
read_base64(const struct ctl *ctl, enum option_id option, struct buf *octets, struct err *err)
{
	const char *text = cmdline_text(&ctl->options, option);
	return plaintext_decode(text, strlen(text), octets) ||
	       err_set(err, ERR_CLIENT_USAGE, "--%s must be base64.",
		       custodyctl_options[option].name);
}

/* --value (which must not be plaintext) or --digest, else --in, else standard input. */
static bool
read_input(const struct ctl *ctl, enum option_id value, struct buf *input, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	const char *type = cmdline_text(options, OPTION_DATA_TYPE);
	const char *in = cmdline_text(options, OPTION_IN);
	if (cmdline_given(options, value) && in != NULL)
		return err_set(err, ERR_CLIENT_USAGE, "--in and --%s exclude each other.",
			custodyctl_options[value].name);
	if (cmdline_given(options, value))
		return read_base64(ctl, value, input, err);
	CLEAN(buf)
	struct buf raw;
	buf_init(&raw, INPUT_MAX);
	if (!terminal_read(in, &raw, err))
		return false;
	bool plain =
		ctl->command->id == COMMAND_key_encrypt || ctl->command->id == COMMAND_key_wrap;
	bool encoded = plain && type != NULL && strcmp(type, "base64") == 0;
	if (!encoded)
		return buf_append(input, raw.data, raw.len) ||
		       err_set(err, ERR_CLIENT_FILE, "The input is too long.");
	return plaintext_decode(buf_peek(&raw), raw.len, input) ||
	       err_set(err, ERR_CLIENT_FILE, "The input is not base64.");
}

static bool
begin(const struct ctl *ctl, struct request *request, enum option_id value, struct err *err)
{
	request->algorithm = cmdline_text(&ctl->options, OPTION_ALGORITHM);
	if (!ctl_target_key(ctl, &request->target, err))
		return false;
	if (request->algorithm == NULL)
		return cmdline_missing(&ctl->options, OPTION_ALGORITHM, err);
	return read_hex(ctl, OPTION_IV, &request->iv, err) &&
	       read_hex(ctl, OPTION_TAG, &request->tag, err) &&
	       read_hex(ctl, OPTION_AAD, &request->aad, err) &&
	       read_input(ctl, value, &request->input, err);
}

/* Threat F12: what is on a command line is in `ps`, in the shell's history and in logs. */
static bool
refuse_plaintext_argument(const struct ctl *ctl, struct err *err)
{
	return !cmdline_given(&ctl->options, OPTION_VALUE) ||
	       err_set(err, ERR_CLIENT_USAGE,
		       "Plaintext on a command line can be read by everybody on this host: give it "
		       "by "
		       "--in FILE or standard input.");
}

/* ---- encrypt, wrap ---- */

static void
write_hex(struct json_writer *writer, const char *name, const struct custody_secret *octets)
{
	if (octets->len == 0)
		json_write_null(writer, name);
	else
		json_write_hex(writer, name, octets->data, octets->len);
}

static int
answer_ciphertext(
	const struct ctl *ctl, const struct request *request, const struct custody_result *result)
{
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	struct custody_secret aad = {request->aad.data, request->aad.len};
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	write_hex(&writer, "aad", &aad);
	json_write_text(&writer, "algorithm", request->algorithm);
	write_hex(&writer, "iv", &result->iv);
	json_write_text(&writer, "kid", result->key_id);
	plaintext_write_base64(&writer, "result", result->value.data, result->value.len);
	write_hex(&writer, "tag", &result->tag);
	json_write_end(&writer);
	return ctl_answer(ctl, &json, NULL, result_columns);
}

static int
protect(const struct ctl *ctl, bool wrap)
{
	struct err err;
	struct custody_error error;
	struct custody_result *result = NULL;
	CLEAN(request)
	struct request request;
	request_init(&request);
	if (!refuse_plaintext_argument(ctl, &err) || !begin(ctl, &request, OPTION_VALUE, &err))
		return ctl_fail(ctl, &err);
	bool done =
		wrap ? custody_wrap(ctl->client, request.target.id, request.algorithm,
			       octets_of(&request.input), &result, &error)
		     : custody_encrypt(ctl->client, request.target.id, request.algorithm,
			       octets_of(&request.input), octets_of(&request.aad), &result, &error);
	if (!done)
		return ctl_fail_call(ctl, &error);
	int exit_code = answer_ciphertext(ctl, &request, result);
	custody_result_free(result);
	return exit_code;
}

int
ctl_key_encrypt(struct ctl *ctl)
{
	return protect(ctl, false);
}

int
ctl_key_wrap(struct ctl *ctl)
{
	return protect(ctl, true);
}

/* ---- decrypt, unwrap ---- */

static int
open_ciphertext(const struct ctl *ctl, bool unwrap)
{
	struct err err;
	struct custody_error error;
	struct custody_secret plaintext = {NULL, 0};
	CLEAN(request)
	struct request request;
	CLEAN(plaintext)
	struct plaintext sink = {.ctl = ctl};
	request_init(&request);
	if (!plaintext_open(&sink, &err) || !begin(ctl, &request, OPTION_VALUE, &err))
		return ctl_fail(ctl, &err);
	bool done = unwrap ? custody_unwrap(ctl->client, request.target.id, request.algorithm,
				     octets_of(&request.input), &plaintext, &error)
			   : custody_decrypt(ctl->client, request.target.id, request.algorithm,
				     octets_of(&request.input), octets_of(&request.iv),
				     octets_of(&request.tag), octets_of(&request.aad), &plaintext,
				     &error);
	if (!done)
		return ctl_fail_call(ctl, &error);
	int exit_code =
		plaintext_answer(&sink, request.algorithm, request.target.id, NULL, &plaintext);
	custody_secret_free(&plaintext);
	return exit_code;
}

int
ctl_key_decrypt(struct ctl *ctl)
{
	return open_ciphertext(ctl, false);
}

int
ctl_key_unwrap(struct ctl *ctl)
{
	return open_ciphertext(ctl, true);
}

/* ---- sign, verify ---- */

int
ctl_key_sign(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	struct custody_result *result = NULL;
	CLEAN(request)
	struct request request;
	request_init(&request);
	if (!begin(ctl, &request, OPTION_DIGEST, &err))
		return ctl_fail(ctl, &err);
	if (!custody_sign(ctl->client, request.target.id, request.algorithm,
		    octets_of(&request.input), &result, &error))
		return ctl_fail_call(ctl, &error);
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "algorithm", request.algorithm);
	json_write_text(&writer, "keyId", result->key_id);
	plaintext_write_base64(&writer, "signature", result->value.data, result->value.len);
	json_write_end(&writer);
	custody_result_free(result);
	return ctl_answer(ctl, &json, NULL, signature_columns);
}

int
ctl_key_verify(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	bool valid = false;
	CLEAN(request)
	struct request request;
	request_init(&request);
	if (!cmdline_given(&ctl->options, OPTION_SIGNATURE)) {
		(void)cmdline_missing(&ctl->options, OPTION_SIGNATURE, &err);
		return ctl_fail(ctl, &err);
	}
	if (!read_base64(ctl, OPTION_SIGNATURE, &request.signature, &err) ||
		!begin(ctl, &request, OPTION_DIGEST, &err))
		return ctl_fail(ctl, &err);
	if (!custody_verify(ctl->client, request.target.id, request.algorithm,
		    octets_of(&request.input), octets_of(&request.signature), &valid, &error))
		return ctl_fail_call(ctl, &error);
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "algorithm", request.algorithm);
	json_write_bool(&writer, "isValid", valid);
	json_write_text(&writer, "keyId", request.target.id);
	json_write_end(&writer);
	int exit_code = ctl_answer(ctl, &json, NULL, verify_columns);
	return exit_code != EXIT_OK || valid ? exit_code : EXIT_NO;
}
