/* custodyctl key random: octets of a token's generator and the daemon's own. They may become a key: they go out as plaintext does. */
#include "custodyctl.h"

#include <string.h>

#include "ctl/plaintext.h"

#define COUNT_MAX 128 /* doc/api.md, /rng */
#define BODY_MAX  64

static const struct output_column random_columns[] = {
	{"Value", "value"},
	{NULL,    NULL   },
};

static int
answer(struct plaintext *sink, const struct buf *octets)
{
	struct err err;
	const struct custody_secret value = {octets->data, octets->len};
	if (sink->to_file)
		return plaintext_write(sink, &value, &err) ? EXIT_OK : ctl_fail(sink->ctl, &err);
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	plaintext_write_base64(&writer, "value", octets->data, octets->len);
	json_write_end(&writer);
	return ctl_answer(sink->ctl, &json, NULL, random_columns);
}

/* The octets of an answer. false: it is none. */
static bool
take(const struct json_value *random, int64_t count, struct buf *octets, struct err *err)
{
	const char *text = json_text(json_member(random, "value"));
	return (text != NULL && plaintext_decode(text, strlen(text), octets) &&
		       octets->len == (size_t)count) ||
	       err_set(err, ERR_CLIENT_ANSWER, NULL);
}

int
ctl_key_random(struct ctl *ctl)
{
	struct err err;
	struct target target;
	int64_t count;
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf body;
	CLEAN(buf)
	struct buf octets;
	CLEAN(plaintext)
	struct plaintext sink = {.ctl = ctl};
	buf_init(&body, BODY_MAX);
	buf_init(&octets, 2 * COUNT_MAX);
	if (!ctl_target_vault(ctl, &target, &err) ||
		!cmdline_number(&ctl->options, OPTION_OCTETS, 1, COUNT_MAX, &count, &err) ||
		!plaintext_open(&sink, &err))
		return ctl_fail(ctl, &err);
	buf_printf(&body, "{\"count\":%d}", (int)count);
	CLEAN(json)
	struct json_value *random = ctl_call(ctl, "POST", target.vault, "/rng", &body, &exit_code);
	if (random == NULL)
		return exit_code;
	return take(random, count, &octets, &err) ? answer(&sink, &octets) : ctl_fail(ctl, &err);
}
