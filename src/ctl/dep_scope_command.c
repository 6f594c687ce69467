/* depctl mailbox, mailuser, site, scope and datakey. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/depctl.h"
#include "ctl/terminal.h"

#define CHUNK_MAX     4194304 /* octets of one request of a registration */
#define REGISTER_LINE 4098    /* octets of a line with its end */
#define BATCH_MAX     1000

static const struct output_column scope_columns[] = {
	{"Name",		   "id"                    },
	{"Type",		   "type"                  },
	{"State",		  "state"                 },
	{"IsEncrypted",            "isEncrypted"           },
	{"Policy",                 "policy"                },
	{"DataEncryptionPolicyID", "dataEncryptionPolicyID"},
	{NULL,		     NULL		    },
};

static const struct output_column count_columns[] = {
	{"Registered", "registered"},
	{"Known",      "known"     },
	{NULL,         NULL        },
};

static const struct output_column key_columns[] = {
	{"Plaintext", "plaintext"    },
	{"Wrapped",   "wrapped"      },
	{"Error",     "error.message"},
	{NULL,        NULL           },
};

static const char *
kind_of(const struct ctl *ctl, struct err *err)
{
	const char *kind = cmdline_text(&ctl->options, OPTION_KIND);
	if (kind == NULL)
		(void)cmdline_missing(&ctl->options, OPTION_KIND, err);
	return kind;
}

/* A request about a scope; kind NULL: err says why. */
static int
ask(struct ctl *ctl, const char *kind, const char *name, const char *method, const char *action,
	const char *body)
{
	char head[64], path[DEPCTL_PATH_SIZE];
	struct err err;
	(void)snprintf(head, sizeof(head), "/scopes/%s/", kind);
	if (!depctl_path(head, name, action, path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, method, path, body, NULL, false, scope_columns, NULL);
}

static int
list(struct ctl *ctl, const char *kind)
{
	char path[DEPCTL_PATH_SIZE];
	struct err err;
	const char *overdue = cmdline_text(&ctl->options, OPTION_OVERDUE);
	(void)snprintf(path, sizeof(path), "/scopes/%s?top=256", kind);
	if (overdue != NULL) {
		char head[96];
		(void)snprintf(head, sizeof(head), "/scopes/%s?top=256&overdue=", kind);
		if (!depctl_path(head, overdue, "", path, &err))
			return ctl_fail(ctl, &err);
	}
	return depctl_list(ctl, path, scope_columns);
}

/* ---- registration ---- */

struct counts {
	int64_t registered, known;
};

static int
send_chunk(struct ctl *ctl, const char *kind, const struct buf *chunk, struct counts *counts)
{
	char path[64];
	int exit_code = EXIT_OK;
	int64_t registered, known;
	(void)snprintf(path, sizeof(path), "/scopes/%s", kind);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "POST", NULL, path, chunk, &exit_code);
	if (answer == NULL)
		return exit_code;
	if (!json_int(json_member(answer, "registered"), &registered) ||
		!json_int(json_member(answer, "known"), &known)) {
		struct err err;
		(void)err_set(&err, ERR_CLIENT_ANSWER, NULL);
		return ctl_fail(ctl, &err);
	}
	counts->registered += registered;
	counts->known += known;
	return EXIT_OK;
}

/* In requests of whole lines. */
static int
send_file(struct ctl *ctl, const char *kind, FILE *in, struct counts *counts)
{
	char line[REGISTER_LINE];
	CLEAN(buf)
	struct buf chunk;
	buf_init(&chunk, CHUNK_MAX + REGISTER_LINE);
	while (fgets(line, sizeof(line), in) != NULL) {
		size_t len = strlen(line);
		if (len == sizeof(line) - 1 && line[len - 1] != '\n')
			return ctl_fail_usage(
				ctl, "A line is longer than %d octets.", REGISTER_LINE);
		(void)buf_append(&chunk, line, len);
		if (chunk.len < CHUNK_MAX)
			continue;
		int exit_code = send_chunk(ctl, kind, &chunk, counts);
		if (exit_code != EXIT_OK)
			return exit_code;
		buf_reset(&chunk);
	}
	if (ferror(in)) {
		struct err err;
		(void)err_set(&err, ERR_CLIENT_FILE, NULL);
		return ctl_fail(ctl, &err);
	}
	return chunk.len > 0 ? send_chunk(ctl, kind, &chunk, counts) : EXIT_OK;
}

static int
register_scopes(struct ctl *ctl, const char *kind)
{
	const char *path = cmdline_text(&ctl->options, OPTION_IN);
	bool standard = path == NULL || strcmp(path, "-") == 0;
	struct counts counts = {0, 0};
	struct json_writer writer;
	CLEAN(buf)
	struct buf json;
	buf_init(&json, DEPCTL_BODY_MAX);
	FILE *in = standard ? stdin : fopen(path, "re");
	if (in == NULL) {
		struct err err;
		(void)err_set(&err, ERR_CLIENT_FILE, "%s cannot be read.", path);
		return ctl_fail(ctl, &err);
	}
	int exit_code = send_file(ctl, kind, in, &counts);
	if (!standard)
		(void)fclose(in); /* it was only read */
	if (exit_code != EXIT_OK)
		return exit_code;
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_int(&writer, "registered", counts.registered);
	json_write_int(&writer, "known", counts.known);
	json_write_end(&writer);
	return ctl_answer(ctl, &json, NULL, count_columns);
}

/* ---- mailboxes ---- */

int
depctl_mailbox_register(struct ctl *ctl)
{
	return register_scopes(ctl, "mailbox");
}

int
depctl_mailbox_moved(struct ctl *ctl)
{
	return ask(ctl, "mailbox", ctl->options.arguments[0], "POST", "/moved", "{}");
}

int
depctl_mailbox_set(struct ctl *ctl)
{
	const char *policy = cmdline_text(&ctl->options, OPTION_POLICY);
	bool none = cmdline_flag(&ctl->options, OPTION_NO_POLICY, false);
	char path[DEPCTL_PATH_SIZE];
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (none == (policy != NULL))
		return ctl_fail_usage(ctl, "Either --policy or --no-policy must be given.");
	if (!depctl_path("/mailboxes/", ctl->options.arguments[0], "", path, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (none)
		json_write_bool(&writer, "noPolicy", true);
	else
		json_write_text(&writer, "policy", policy);
	json_write_end(&writer);
	return ctl_show(ctl, "PATCH", path, buf_peek(&body), NULL, false, scope_columns, NULL);
}

/* Mail users are mailboxes that have not moved here yet. */
int
depctl_mailuser_set(struct ctl *ctl)
{
	return depctl_mailbox_set(ctl);
}

int
depctl_mailbox_show(struct ctl *ctl)
{
	return ask(ctl, "mailbox", ctl->options.arguments[0], "GET", "", NULL);
}

int
depctl_mailbox_list(struct ctl *ctl)
{
	return list(ctl, "mailbox");
}

/* ---- sites ---- */

int
depctl_site_register(struct ctl *ctl)
{
	return register_scopes(ctl, "site");
}

int
depctl_site_moved(struct ctl *ctl)
{
	return ask(ctl, "site", ctl->options.arguments[0], "POST", "/moved", "{}");
}

int
depctl_site_show(struct ctl *ctl)
{
	char path[DEPCTL_PATH_SIZE];
	struct err err;
	if (!depctl_path("/sites/", ctl->options.arguments[0], "", path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, "GET", path, NULL, NULL, false, scope_columns, NULL);
}

int
depctl_site_list(struct ctl *ctl)
{
	return list(ctl, "site");
}

/* ---- scopes of any kind ---- */

int
depctl_scope_register(struct ctl *ctl)
{
	struct err err;
	const char *kind = kind_of(ctl, &err);
	return kind != NULL ? register_scopes(ctl, kind) : ctl_fail(ctl, &err);
}

int
depctl_scope_moved(struct ctl *ctl)
{
	struct err err;
	const char *kind = kind_of(ctl, &err);
	if (kind == NULL)
		return ctl_fail(ctl, &err);
	return ask(ctl, kind, ctl->options.arguments[0], "POST", "/moved", "{}");
}

int
depctl_scope_show(struct ctl *ctl)
{
	struct err err;
	const char *kind = kind_of(ctl, &err);
	if (kind == NULL)
		return ctl_fail(ctl, &err);
	return ask(ctl, kind, ctl->options.arguments[0], "GET", "", NULL);
}

int
depctl_scope_list(struct ctl *ctl)
{
	struct err err;
	const char *kind = kind_of(ctl, &err);
	return kind != NULL ? list(ctl, kind) : ctl_fail(ctl, &err);
}

/* ---- data keys ---- */

/* Data keys are for programs: to a terminal only if that is said (threat F13). */
static int
ask_keys(struct ctl *ctl, const char *action, const struct buf *body, bool batch)
{
	char head[64], path[DEPCTL_PATH_SIZE];
	struct err err;
	const char *kind = kind_of(ctl, &err);
	const char *scope = cmdline_text(&ctl->options, OPTION_SCOPE);
	if (kind == NULL)
		return ctl_fail(ctl, &err);
	if (scope == NULL && !cmdline_missing(&ctl->options, OPTION_SCOPE, &err))
		return ctl_fail(ctl, &err);
	bool told = cmdline_flag(&ctl->options, OPTION_SHOW_SECRET, false);
	if (!terminal_allows_secret(STDOUT_FILENO, told, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(head, sizeof(head), "/scopes/%s/", kind);
	if (!depctl_path(head, scope, action, path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, "POST", path, buf_peek(body), batch ? "value" : NULL, batch,
		key_columns, NULL);
}

int
depctl_datakey_generate(struct ctl *ctl)
{
	struct json_writer writer;
	struct err err;
	int64_t count = 0;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	bool batch = cmdline_given(&ctl->options, OPTION_HOW_MANY);
	if (batch && !cmdline_number(&ctl->options, OPTION_HOW_MANY, 1, BATCH_MAX, &count, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (batch)
		json_write_int(&writer, "count", count);
	json_write_end(&writer);
	return ask_keys(ctl, "/datakeys", &body, batch);
}

int
depctl_datakey_unwrap(struct ctl *ctl)
{
	const struct option_values *wrapped = &ctl->options.values[OPTION_WRAPPED];
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (wrapped->count == 0 && !cmdline_missing(&ctl->options, OPTION_WRAPPED, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (wrapped->count == 1) {
		json_write_text(&writer, "wrapped", wrapped->words[0]);
	} else {
		json_write_array(&writer, "value");
		for (size_t i = 0; i < wrapped->count; i++)
			json_write_text(&writer, NULL, wrapped->words[i]);
		json_write_end(&writer);
	}
	json_write_end(&writer);
	return ask_keys(ctl, "/datakeys/unwrap", &body, wrapped->count > 1);
}
