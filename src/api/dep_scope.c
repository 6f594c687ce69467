/* Reads and answers what concerns scopes. Invariant: a name that got in can be named in a path. */
#include "dep_scope.h"

#include <ctype.h>
#include <string.h>

#include "api/body.h"
#include "json/json.h"

#define YEARS_MAX_S (INT64_C(10) * 366 * 86400)

static const struct json_word type_words[] = {
	{"UserMailbox",   API_DEP_USER_MAILBOX  },
	{"MailUser",      API_DEP_MAIL_USER     },
	{"GroupMailbox",  API_DEP_GROUP_MAILBOX },
	{"PublicFolder",  API_DEP_PUBLIC_FOLDER },
	{"SharedMailbox", API_DEP_SHARED_MAILBOX},
	{NULL,            0		     },
};

enum line_state {
	LINE_ENCRYPTED = 1,
	LINE_UNENCRYPTED,
};

static const struct json_word state_words[] = {
	{"encrypted",   LINE_ENCRYPTED  },
	{"unencrypted", LINE_UNENCRYPTED},
	{NULL,          0               },
};

const char *
api_dep_mailbox_type_name(int type)
{
	for (const struct json_word *word = type_words; word->text != NULL; word++) {
		if (word->value == type)
			return word->text;
	}
	return NULL;
}

bool
api_dep_scope_id_valid(const char *id)
{
	size_t len = strlen(id);
	if (len == 0 || len > API_DEP_SCOPE_ID_MAX || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (id[i] <= ' ' || id[i] > '~' || id[i] == '/')
			return false;
	}
	return true;
}

/* ---- registration ---- */

struct line_body {
	const char *id;
	int type;
	int state;
	const char *geo;
};

static const struct json_field line_fields[] = {
	FIELD(struct line_body, id, "id", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = API_DEP_SCOPE_ID_MAX),
	FIELD(struct line_body, type, "type", WORD, .words = type_words),
	FIELD(struct line_body, state, "state", WORD, .words = state_words),
	FIELD(struct line_body, geo, "geo", TEXT, .flags = JSON_NON_EMPTY | JSON_PRINTABLE,
		.max = API_DEP_SCOPE_ID_MAX),
};
TABLE(line_table, line_fields, struct line_body, true);

bool
api_dep_line_next(struct bytes *io_rest, size_t *io_number, struct bytes *ret_line)
{
	while (io_rest->len > 0) {
		const uint8_t *end = memchr(io_rest->data, '\n', io_rest->len);
		size_t len = end != NULL ? (size_t)(end - io_rest->data) : io_rest->len;
		struct bytes line = {io_rest->data, len};
		size_t used = end != NULL ? len + 1 : len;
		io_rest->data += used;
		io_rest->len -= used;
		(*io_number)++;
		if (len > 0 && line.data[len - 1] == '\r')
			line.len--;
		if (line.len > 0) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

bool
api_dep_scope_line_decode(struct bytes line, struct arena *arena,
	struct api_dep_scope_line *ret_line, struct err *err)
{
	struct line_body body;
	if (line.len > API_DEP_LINE_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "The line is longer than %d octets.",
			API_DEP_LINE_MAX);
	if (!json_decode_body(line, &line_table, arena, &body, err))
		return false;
	if (!api_dep_scope_id_valid(body.id))
		return err_set(err, ERR_BAD_PARAMETER,
			"id: 1 to 256 printable ASCII characters without blanks and '/'.");
	*ret_line = (struct api_dep_scope_line){
		.id = body.id,
		.type = body.type,
		.clear = body.state == LINE_UNENCRYPTED,
		.geo = body.geo,
	};
	return true;
}

void
api_dep_registered_format(size_t registered, size_t known, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_int(&writer, "registered", (int64_t)registered);
	json_write_int(&writer, "known", (int64_t)known);
	json_write_end(&writer);
}

/* ---- assignment ---- */

struct assign_body {
	const char *policy;
	struct json_opt_bool none;
};

static const struct json_field assign_fields[] = {
	FIELD(struct assign_body, policy, "policy", TEXT, .flags = JSON_NON_EMPTY,
		.max = API_DEP_NAME_MAX),
	FIELD(struct assign_body, none, "noPolicy", BOOL),
};
TABLE(assign_table, assign_fields, struct assign_body, true);

bool
api_dep_scope_assign_decode(struct bytes body, struct arena *arena,
	struct api_dep_scope_assign *ret_assign, struct err *err)
{
	struct assign_body assign;
	if (!json_decode_body(body, &assign_table, arena, &assign, err))
		return false;
	bool none = assign.none.set && assign.none.value;
	if (none == (assign.policy != NULL))
		return err_set(err, ERR_BAD_PARAMETER,
			"Either policy (a name or a GUID) or noPolicy (true) is wanted.");
	ret_assign->policy = assign.policy;
	return true;
}

/* ---- answers ---- */

static void
write_scope(struct json_writer *writer, const struct api_dep_scope *scope)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "kind", scope->kind);
	json_write_text(writer, "id", scope->id);
	json_write_text(writer, "type", api_dep_mailbox_type_name(scope->type));
	json_write_text(writer, "state", scope->state);
	json_write_text(writer, "dataEncryptionPolicyID", scope->generation);
	json_write_bool(writer, "isEncrypted", scope->encrypted);
	json_write_text(writer, "policy", scope->policy);
	json_write_text(writer, "policyId", scope->policy_id);
	json_write_text(writer, "policyKind", scope->policy_kind);
	json_write_int(writer, "assigned", scope->assigned);
	json_write_int(writer, "changed", scope->changed);
	json_write_end(writer);
}

void
api_dep_scope_format(const struct api_dep_scope *scope, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_scope(&writer, scope);
}

void
api_dep_scope_page_begin(struct api_dep_scope_page *page, struct buf *out)
{
	json_writer_init(&page->writer, out);
	json_write_object(&page->writer, NULL);
	json_write_array(&page->writer, "value");
}

void
api_dep_scope_page_item(struct api_dep_scope_page *page, const struct api_dep_scope *scope)
{
	write_scope(&page->writer, scope);
}

void
api_dep_scope_page_end(struct api_dep_scope_page *page, const char *next)
{
	json_write_end(&page->writer);
	json_write_text(&page->writer, "next", next);
	json_write_end(&page->writer);
}

/* ---- numbers of a query ---- */

/* At most nine digits. */
static bool
take_number(const char *text, size_t len, int64_t *ret_number)
{
	int64_t number = 0;
	if (len == 0 || len > 9)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = number;
	return true;
}

bool
api_dep_page_size(const char *text, size_t *ret_size, struct err *err)
{
	int64_t number = API_DEP_PAGE_DEFAULT;
	if (text != NULL && (!take_number(text, strlen(text), &number) || number < 1 ||
				    number > API_DEP_PAGE_MAX))
		return err_set(err, ERR_BAD_PARAMETER, "top must be a number from 1 to %d.",
			API_DEP_PAGE_MAX);
	*ret_size = (size_t)number;
	return true;
}

bool
api_dep_span(const char *text, int64_t *ret_seconds, struct err *err)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {
		{'d', 86400},
		{'h', 3600 },
		{'m', 60   },
		{'s', 1    },
	};
	size_t len = strlen(text);
	int64_t number;
	for (size_t i = 0; i < ARRAY_LEN(units) && len > 0; i++) {
		if (text[len - 1] != units[i].unit || !take_number(text, len - 1, &number) ||
			number > YEARS_MAX_S / units[i].seconds)
			continue;
		*ret_seconds = number * units[i].seconds;
		return true;
	}
	return err_set(err, ERR_BAD_PARAMETER,
		"A span of time is a number and d, h, m or s, like 7d; ten years at most.");
}
