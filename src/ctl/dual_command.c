/* custodyctl dual ...: envelopes that either of two keys opens. */
#include "custodyctl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ctl/binding.h"
#include "ctl/plaintext.h"
#include "ctl/terminal.h"
#include "json/json_writer.h"

#define INPUT_MAX  65536
#define LENGTH_MIN 16 /* doc/api.md, /dual/generatekey */
#define LENGTH_MAX 64

static struct custody_bytes
octets_of(const struct buf *buf)
{
	return (struct custody_bytes){buf->data, buf->len};
}

/* Writes an envelope, which is no secret, to `path` or standard output. */
static int
write_envelope(const struct ctl *ctl, const char *path, const char *envelope)
{
	struct err err;
	CLEAN(outfile)
	struct outfile file = {.fd = -1};
	bool replace = cmdline_flag(&ctl->options, OPTION_FORCE, false);
	if (!outfile_open(path != NULL ? path : "-", replace, &file, &err) ||
		!file_write_all(file.fd, envelope, strlen(envelope), &err) ||
		!file_write_all(file.fd, "\n", 1, &err) || !outfile_finish(&file, &err))
		return ctl_fail(ctl, &err);
	return EXIT_OK;
}

int
ctl_dual_wrap(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	char *envelope = NULL;
	CLEAN(binding)
	struct binding binding;
	CLEAN(buf)
	struct buf plaintext;
	binding_init(&binding);
	buf_init(&plaintext, INPUT_MAX);
	if (!binding_read_keys(ctl, &binding, true, &err) ||
		!binding_read_context(ctl, &binding, &err) ||
		!terminal_read(cmdline_text(&ctl->options, OPTION_IN), &plaintext, &err))
		return ctl_fail(ctl, &err);
	if (!custody_dual_wrap(ctl->client, binding.key_ids, octets_of(&binding.context),
		    octets_of(&plaintext), &envelope, &error))
		return ctl_fail_call(ctl, &error);
	int exit_code = write_envelope(ctl, cmdline_text(&ctl->options, OPTION_OUT), envelope);
	custody_text_free(envelope);
	return exit_code;
}

/* An envelope and the context that it is opened with. */
static bool
read_bound(const struct ctl *ctl, struct binding *binding, struct buf *envelope, struct err *err)
{
	return binding_read_context(ctl, binding, err) &&
	       terminal_read(cmdline_text(&ctl->options, OPTION_IN), envelope, err);
}

int
ctl_dual_unwrap(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	struct custody_opened opened;
	struct custody_secret plaintext = {NULL, 0};
	CLEAN(binding)
	struct binding binding;
	CLEAN(buf)
	struct buf envelope;
	CLEAN(plaintext)
	struct plaintext sink = {.ctl = ctl};
	binding_init(&binding);
	buf_init(&envelope, INPUT_MAX);
	if (!plaintext_open(&sink, &err) || !read_bound(ctl, &binding, &envelope, &err))
		return ctl_fail(ctl, &err);
	if (!custody_dual_unwrap(ctl->client, buf_peek(&envelope), octets_of(&binding.context),
		    &plaintext, &opened, &error))
		return ctl_fail_call(ctl, &error);
	if (opened.degraded)
		binding_warn_degraded(ctl, &opened);
	int exit_code = plaintext_answer(&sink, NULL, opened.key_id, &opened, &plaintext);
	custody_secret_free(&plaintext);
	return exit_code;
}

int
ctl_dual_rewrap(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	char *fresh = NULL;
	CLEAN(binding)
	struct binding binding;
	CLEAN(buf)
	struct buf envelope;
	binding_init(&binding);
	buf_init(&envelope, INPUT_MAX);
	if (!binding_read_keys(ctl, &binding, false, &err) ||
		!read_bound(ctl, &binding, &envelope, &err))
		return ctl_fail(ctl, &err);
	bool given = binding.key_ids[0] != NULL;
	if (!custody_dual_rewrap(ctl->client, buf_peek(&envelope), octets_of(&binding.context),
		    given ? binding.key_ids : NULL, &fresh, &error))
		return ctl_fail_call(ctl, &error);
	int exit_code = write_envelope(ctl, cmdline_text(&ctl->options, OPTION_OUT), fresh);
	custody_text_free(fresh);
	return exit_code;
}

/* The key goes to --out, which must be given: standard output is the envelope's unless --envelope is. */
static bool
check_outputs(const struct ctl *ctl, struct err *err)
{
	const char *out = cmdline_text(&ctl->options, OPTION_OUT);
	const char *envelope = cmdline_text(&ctl->options, OPTION_ENVELOPE);
	bool both_standard = out != NULL && strcmp(out, "-") == 0 &&
			     (envelope == NULL || strcmp(envelope, "-") == 0);
	if (out == NULL)
		return cmdline_missing(&ctl->options, OPTION_OUT, err);
	return !both_standard ||
	       err_set(err, ERR_CLIENT_USAGE,
		       "Key and envelope cannot both go to standard output: use --envelope FILE.");
}

int
ctl_dual_generate(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	struct custody_secret key = {NULL, 0};
	char *envelope = NULL;
	int64_t length = 32;
	CLEAN(binding)
	struct binding binding;
	CLEAN(plaintext)
	struct plaintext sink = {.ctl = ctl};
	binding_init(&binding);
	if ((cmdline_given(&ctl->options, OPTION_LENGTH) &&
		    !cmdline_number(
			    &ctl->options, OPTION_LENGTH, LENGTH_MIN, LENGTH_MAX, &length, &err)) ||
		!binding_read_keys(ctl, &binding, true, &err) ||
		!binding_read_context(ctl, &binding, &err) || !check_outputs(ctl, &err) ||
		!plaintext_open(&sink, &err))
		return ctl_fail(ctl, &err);
	if (!custody_dual_generate(ctl->client, binding.key_ids, octets_of(&binding.context),
		    (size_t)length, &key, &envelope, &error))
		return ctl_fail_call(ctl, &error);
	/* the envelope first: a key without its envelope would be a key that nobody can get again */
	int exit_code = write_envelope(ctl, cmdline_text(&ctl->options, OPTION_ENVELOPE), envelope);
	if (exit_code == EXIT_OK && !plaintext_write(&sink, &key, &err))
		exit_code = ctl_fail(ctl, &err);
	custody_secret_free(&key);
	custody_text_free(envelope);
	return exit_code;
}

/* ---- check ---- */

static const struct output_column check_columns[] = {
	{"Kid",     "kid"    },
	{"Token",   "token"  },
	{"Outcome", "outcome"},
	{"Error",   "code"   },
	{NULL,      NULL     },
};

static void
write_check(struct json_writer *writer, const struct custody_check *check)
{
	json_write_object(writer, NULL);
	json_write_array(writer, "recipients");
	for (size_t i = 0; i < check->attempt_count; i++) {
		const struct custody_attempt *attempt = &check->attempts[i];
		json_write_object(writer, NULL);
		json_write_text(writer, "code", attempt->name[0] != '\0' ? attempt->name : NULL);
		json_write_text(writer, "kid", attempt->key_id);
		json_write_text(writer, "outcome", attempt->outcome);
		json_write_text(writer, "token", attempt->token);
		json_write_end(writer);
	}
	json_write_end(writer);
	json_write_int(writer, "redundancy", check->redundancy);
	json_write_end(writer);
}

int
ctl_dual_check(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	struct custody_check *check = NULL;
	CLEAN(binding)
	struct binding binding;
	CLEAN(buf)
	struct buf envelope;
	binding_init(&binding);
	buf_init(&envelope, INPUT_MAX);
	if (!read_bound(ctl, &binding, &envelope, &err))
		return ctl_fail(ctl, &err);
	if (!custody_dual_check(
		    ctl->client, buf_peek(&envelope), octets_of(&binding.context), &check, &error))
		return ctl_fail_call(ctl, &error);
	bool whole = check->redundancy >= 2;
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	write_check(&writer, check);
	custody_check_free(check);
	int exit_code = ctl_answer(
		ctl, &json, ctl->form == OUTPUT_JSON ? NULL : "recipients", check_columns);
	return exit_code != EXIT_OK || whole ? exit_code : EXIT_NO;
}
