/* custodyctl key create ... purge: keys as objects. */
#include "custodyctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/terminal.h"
#include "json/json.h"

#define BODY_MAX   16384
#define ANSWER_MAX OUTPUT_MAX
#define PATH_SIZE  8192

static const struct output_column key_columns[] = {
	{"Name",       "name"              },
	{"Kty",        "key.kty"           },
	{"Curve",      "key.crv"           },
	{"Enabled",    "attributes.enabled"},
	{"Expires",    "attributes.expires"},
	{"Operations", "key.keyOps"        },
	{"Kid",        "key.kid"           },
	{NULL,         NULL                },
};

/* The same, and then what the answer of `key show` has more: scripts that count columns from the left go on. */
static const struct output_column show_columns[] = {
	{"Name",             "name"			       },
	{"Kty",              "key.kty"			    },
	{"Curve",            "key.crv"			    },
	{"Enabled",          "attributes.enabled"                 },
	{"Expires",          "attributes.expires"                 },
	{"Operations",       "key.keyOps"                         },
	{"Kid",              "key.kid"			    },
	{"Strength",         "custody.strengthBits"               },
	{"Mixed",            "custody.mixed"                      },
	{"Local",            "custody.provenance.local"           },
	{"AlwaysSensitive",  "custody.provenance.alwaysSensitive" },
	{"NeverExtractable", "custody.provenance.neverExtractable"},
	{NULL,	       NULL				 },
};

static const struct output_column item_columns[] = {
	{"Name",    "name"              },
	{"Enabled", "attributes.enabled"},
	{"Created", "attributes.created"},
	{"Expires", "attributes.expires"},
	{"Kid",     "kid"               },
	{NULL,      NULL                },
};

static const struct output_column deleted_columns[] = {
	{"Name",           "name"              },
	{"Deleted",        "deletedDate"       },
	{"ScheduledPurge", "scheduledPurgeDate"},
	{"RecoveryId",     "recoveryId"        },
	{NULL,             NULL                },
};

static int
answer_key(const struct ctl *ctl, const struct json_value *bundle)
{
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	answers_key(&writer, NULL, bundle);
	bool deleted = json_member(bundle, "recoveryId") != NULL;
	return ctl_answer(ctl, &json, NULL, deleted ? deleted_columns : key_columns);
}

int
ctl_call_key(const struct ctl *ctl, const char *method, const struct target *target,
	const char *prefix, const char *suffix, const struct buf *body)
{
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	(void)snprintf(path, sizeof(path), "%s%s%s", prefix, target->name, suffix);
	CLEAN(json)
	struct json_value *bundle = ctl_call(ctl, method, target->vault, path, body, &exit_code);
	return bundle != NULL ? answer_key(ctl, bundle) : exit_code;
}

/* ---- create, show, set-attributes ---- */

static bool
write_time(const struct ctl *ctl, struct json_writer *writer, const char *name,
	enum option_id option, struct err *err)
{
	int64_t seconds;
	if (!cmdline_given(&ctl->options, option))
		return true;
	if (!cmdline_time(&ctl->options, option, &seconds, err))
		return false;
	json_write_int(writer, name, seconds);
	return true;
}

bool
ctl_write_attributes(const struct ctl *ctl, struct json_writer *writer, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	json_write_object(writer, "attributes");
	if (cmdline_given(options, OPTION_ENABLED))
		json_write_bool(writer, "enabled", cmdline_flag(options, OPTION_ENABLED, true));
	if (cmdline_given(options, OPTION_DISABLED))
		json_write_bool(writer, "enabled", !cmdline_flag(options, OPTION_DISABLED, false));
	if (!write_time(ctl, writer, "nbf", OPTION_NOT_BEFORE, err) ||
		!write_time(ctl, writer, "exp", OPTION_EXPIRES, err))
		return false;
	json_write_end(writer);
	return true;
}

static bool
write_change(const struct ctl *ctl, struct json_writer *writer, struct err *err)
{
	if (!ctl_write_attributes(ctl, writer, err))
		return false;
	ctl_write_words(ctl, writer, "key_ops", OPTION_OPS);
	return ctl_write_tags(ctl, writer, err);
}

/* --protection hsm is az's way to say RSA-HSM for RSA. */
static const char *
key_type(const struct cmdline *options, char *text, size_t size)
{
	const char *given = cmdline_text(options, OPTION_KTY);
	const char *protection = cmdline_text(options, OPTION_PROTECTION);
	const char *type = given != NULL ? given : "RSA";
	bool hsm = protection != NULL && strcmp(protection, "hsm") == 0;
	if (!hsm || strstr(type, "-HSM") != NULL)
		return type;
	(void)snprintf(text, size, "%s-HSM", type);
	return text;
}

static bool
write_create(const struct ctl *ctl, struct buf *body, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	const char *curve = cmdline_text(options, OPTION_CURVE);
	char text[16];
	const char *type = key_type(options, text, sizeof(text));
	struct json_writer writer;
	int64_t bits = 3072; /* our tools' default; the dialect's is 2048 */
	if (cmdline_given(options, OPTION_SIZE) &&
		!cmdline_number(options, OPTION_SIZE, 1, 16384, &bits, err))
		return false;
	json_writer_init(&writer, body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kty", type);
	if (cmdline_given(options, OPTION_SIZE) || strncmp(type, "RSA", 3) == 0)
		json_write_int(&writer, "key_size", bits);
	if (curve != NULL)
		json_write_text(&writer, "crv", curve);
	if (!write_change(ctl, &writer, err))
		return false;
	json_write_end(&writer);
	return json_writer_ok(&writer) || err_set(err, ERR_TOO_LARGE, NULL);
}

int
ctl_key_create(struct ctl *ctl)
{
	struct err err;
	struct target target;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!ctl_target_key(ctl, &target, &err) || !write_create(ctl, &body, &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "POST", &target, "/keys/", "/create", &body);
}

static void
version_suffix(const struct target *target, char suffix[static 40])
{
	(void)snprintf(suffix, 40, "/%s", target->version);
}

/* Of the very version that the bundle is of, though another may be the newest by now. false: with an exit code. */
static bool
ask_custody(const struct ctl *ctl, const struct target *target, const struct json_value *bundle,
	struct json_value **ret_custody, int *ret_exit)
{
	struct kid kid;
	char path[PATH_SIZE];
	const char *id = json_text(json_member(json_member(bundle, "key"), "kid"));
	if (id == NULL || !kid_parse(id, &kid)) {
		struct err err;
		(void)err_set(&err, ERR_CLIENT_ANSWER, NULL);
		*ret_exit = ctl_fail(ctl, &err);
		return false;
	}
	(void)snprintf(path, sizeof(path), "/vaults/%.*s/keys/%s/%s",
		(int)strcspn(target->vault, "."), target->vault, kid.name, kid.version);
	struct json_value *custody = ctl_call_newer(ctl, path, ret_exit);
	if (custody == NULL && *ret_exit != EXIT_OK)
		return false;
	if (custody == NULL)
		ctl_warn(ctl, "This daemon is too old to tell where the key comes from and how "
			      "strong it is.");
	*ret_custody = custody;
	return true;
}

int
ctl_key_show(struct ctl *ctl)
{
	struct err err;
	struct target target;
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	struct json_writer writer;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/keys/%s/%s", target.name, target.version);
	CLEAN(json)
	struct json_value *bundle = ctl_call(ctl, "GET", target.vault, path, NULL, &exit_code);
	CLEAN(json)
	struct json_value *custody = NULL;
	if (bundle == NULL || !ask_custody(ctl, &target, bundle, &custody, &exit_code))
		return exit_code;
	CLEAN(buf)
	struct buf json;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	answers_key_custody(&writer, NULL, bundle, custody);
	return ctl_answer(ctl, &json, NULL, show_columns);
}

int
ctl_key_set_attributes(struct ctl *ctl)
{
	struct err err;
	struct target target;
	char suffix[40];
	struct json_writer writer;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (!write_change(ctl, &writer, &err))
		return ctl_fail(ctl, &err);
	json_write_end(&writer);
	version_suffix(&target, suffix);
	return ctl_call_key(ctl, "PATCH", &target, "/keys/", suffix, &body);
}

/* ---- lists ---- */

/* The path and query of the page after this one; "" at the end. */
static void
next_page(const struct json_value *page, char *path)
{
	const char *link = json_text(json_member(page, "nextLink"));
	const char *host = link == NULL ? NULL : strstr(link, "://");
	const char *rest = host == NULL ? link : strchr(host + 3, '/');
	path[0] = '\0';
	if (rest != NULL && *rest == '/' && strlen(rest) < PATH_SIZE)
		memcpy(path, rest, strlen(rest) + 1);
}

/* All pages of a list, or at most --maxresults of its items. */
static int
list_keys(const struct ctl *ctl, const char *vault, const char *first,
	const struct output_column *columns)
{
	struct err err;
	char path[PATH_SIZE];
	int64_t left = INT32_MAX;
	int exit_code = EXIT_OK;
	struct json_writer writer;
	if (cmdline_given(&ctl->options, OPTION_MAXRESULTS) &&
		!cmdline_number(&ctl->options, OPTION_MAXRESULTS, 1, INT32_MAX, &left, &err))
		return ctl_fail(ctl, &err);
	CLEAN(buf)
	struct buf json;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	(void)snprintf(path, sizeof(path), "%s", first);
	while (path[0] != '\0' && left > 0) {
		CLEAN(json)
		struct json_value *page = ctl_call(ctl, "GET", vault, path, NULL, &exit_code);
		if (page == NULL)
			return exit_code;
		const struct json_value *items = json_member(page, "value");
		for (size_t i = 0; i < json_count(items) && left > 0; i++, left--)
			answers_key_item(&writer, NULL, json_item(items, i));
		next_page(page, path);
	}
	json_write_end(&writer);
	json_write_end(&writer);
	return ctl_answer(ctl, &json, "value", columns);
}

int
ctl_key_list(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_vault(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return list_keys(ctl, target.vault, "/keys", item_columns);
}

int
ctl_key_list_deleted(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_vault(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return list_keys(ctl, target.vault, "/deletedkeys", deleted_columns);
}

int
ctl_key_list_versions(struct ctl *ctl)
{
	struct err err;
	struct target target;
	char path[PATH_SIZE];
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/keys/%s/versions", target.name);
	return list_keys(ctl, target.vault, path, item_columns);
}

/* ---- delete, recover, purge ---- */

int
ctl_key_delete(struct ctl *ctl)
{
	struct err err;
	struct target target;
	char question[512];
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(question, sizeof(question),
		"Delete the key %s in %s with all its versions? What it alone opens does not open "
		"until it "
		"is recovered. (yes/no)",
		target.name, target.vault);
	if (!cmdline_flag(&ctl->options, OPTION_YES, false) &&
		!terminal_confirm(question, "yes", &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "DELETE", &target, "/keys/", "", NULL);
}

int
ctl_key_show_deleted(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "GET", &target, "/deletedkeys/", "", NULL);
}

int
ctl_key_recover(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "POST", &target, "/deletedkeys/", "/recover", NULL);
}

int
ctl_key_rotate(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "POST", &target, "/keys/", "/rotate", NULL);
}

/* Threat F2: on a terminal the name is typed again, whatever the options say; elsewhere it takes --yes. */
static bool
confirm_purge(const struct ctl *ctl, const struct target *target, const struct json_value *deleted,
	struct err *err)
{
	char question[640];
	char since[32] = "?";
	int64_t date;
	if (!terminal_present() && cmdline_flag(&ctl->options, OPTION_YES, false))
		return true;
	if (json_int(json_member(deleted, "deletedDate"), &date))
		answers_time(date, since);
	(void)snprintf(question, sizeof(question),
		"The key %s in %s, deleted since %s, will be destroyed with all its versions, for "
		"good. What it "
		"alone opens is lost.\nType the name of the key to go on:",
		target->name, target->vault, since);
	return terminal_confirm(question, target->name, err);
}

int
ctl_key_purge(struct ctl *ctl)
{
	struct err err;
	struct target target;
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/deletedkeys/%s", target.name);
	if (terminal_present()) {
		CLEAN(json)
		struct json_value *deleted =
			ctl_call(ctl, "GET", target.vault, path, NULL, &exit_code);
		if (deleted == NULL)
			return exit_code;
		if (!confirm_purge(ctl, &target, deleted, &err))
			return ctl_fail(ctl, &err);
	} else if (!confirm_purge(ctl, &target, NULL, &err)) {
		return ctl_fail(ctl, &err);
	}
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "DELETE", target.vault, path, NULL, &exit_code);
	return answer != NULL ? EXIT_OK : exit_code;
}
