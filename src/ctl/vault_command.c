/* custodyctl keyvault ...: vaults and who may do what in them. */
#include "custodyctl.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ctl/terminal.h"
#include "json/json.h"

#define BODY_MAX      16384
#define ANSWER_MAX    OUTPUT_MAX
#define PRINCIPAL_MAX 300
#define NAME_MAX_LEN  64 /* of users and groups */
#define PATH_SIZE     1400

static const struct output_column vault_columns[] = {
	{"Name",            "name"				},
	{"Token",           "properties.token"                    },
	{"Region",          "location"                            },
	{"Retention",       "properties.softDeleteRetentionInDays"},
	{"PurgeProtection", "properties.enablePurgeProtection"    },
	{"Backup",          "properties.backup"                   },
	{NULL,              NULL				  },
};

static int
answer_vault(const struct ctl *ctl, const struct json_value *vault)
{
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	answers_vault(&writer, NULL, vault);
	return ctl_answer(ctl, &json, NULL, vault_columns);
}

/* ---- principals ---- */

static void
percent_encode(const char *text, char *encoded, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t len = 0;
	for (; *text != '\0' && len + 4 <= size; text++) {
		if (strchr(plain, *text) != NULL)
			encoded[len++] = *text;
		else
			len += (size_t)snprintf(
				encoded + len, size - len, "%%%02X", (unsigned char)*text);
	}
	encoded[len] = '\0';
}

/* What keyvault show prints as objectId: the GUID of an application, "user:NAME" or "group:NAME". */
static bool
take_object_id(const char *id, char *principal, struct err *err)
{
	size_t prefix = strncmp(id, "user:", 5) == 0 ? 5 : strncmp(id, "group:", 6) == 0 ? 6 : 0;
	size_t len = strlen(id);
	if (prefix == 0 ? !id_uuid_valid(id) : len == prefix || len > prefix + NAME_MAX_LEN)
		return err_set(err, ERR_CLIENT_USAGE,
			"--object-id must be the GUID of an application, user:NAME or group:NAME.");
	(void)snprintf(principal, PRINCIPAL_MAX, "%s%s", prefix == 0 ? "app:" : "", id);
	return true;
}

/*
 * "user:alice" from --upn, --user, --group, --spn or --object-id, exactly one of them. A user principal name's
 * part before '@' is the local user of that name (threat C28).
 */
static bool
read_principal(const struct ctl *ctl, char *principal, struct err *err)
{
	static const struct {
		enum option_id option;
		const char *kind;
	} kinds[] = {
		{OPTION_UPN,   "user" },
                {OPTION_USER,  "user" },
                {OPTION_GROUP, "group"},
		{OPTION_SPN,   "app"  }
        };
	size_t found = 0;
	const char *object = cmdline_text(&ctl->options, OPTION_OBJECT_ID);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *name = cmdline_text(&ctl->options, kinds[i].option);
		if (name == NULL)
			continue;
		found++;
		size_t len = kinds[i].option == OPTION_UPN ? strcspn(name, "@") : strlen(name);
		if (len == 0 || len > NAME_MAX_LEN)
			return err_set(err, ERR_CLIENT_USAGE, "--%s must be a name.",
				custodyctl_options[kinds[i].option].name);
		if (kinds[i].option == OPTION_SPN && !id_uuid_valid(name))
			return err_set(
				err, ERR_CLIENT_USAGE, "--spn must be the GUID of an application.");
		(void)snprintf(principal, PRINCIPAL_MAX, "%s:%.*s", kinds[i].kind, (int)len, name);
	}
	if (object != NULL && found++ == 0 && !take_object_id(object, principal, err))
		return false;
	return found == 1 ||
	       err_set(err, ERR_CLIENT_USAGE,
		       "One of --upn, --user, --group, --spn, --object-id must be given.");
}

/* Who the daemon will take the caller for. */
static void
own_principal(const struct ctl *ctl, char *principal)
{
	const char *application = cmdline_text(&ctl->options, OPTION_APPLICATION);
	const struct passwd *user = getpwuid(geteuid());
	if (application != NULL)
		(void)snprintf(principal, PRINCIPAL_MAX, "app:%s", application);
	else if (user != NULL)
		(void)snprintf(principal, PRINCIPAL_MAX, "user:%s", user->pw_name);
	else
		(void)snprintf(principal, PRINCIPAL_MAX, "user:%u", geteuid());
}

static void
policy_path(const char *vault, const char *principal, char *path)
{
	char encoded[3 * PRINCIPAL_MAX];
	percent_encode(principal, encoded, sizeof(encoded));
	(void)snprintf(path, PATH_SIZE, "/vaults/%s/policies/%s", vault, encoded);
}

/* ---- create ---- */

static bool
write_create(const struct ctl *ctl, struct buf *body, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	const char *token = cmdline_text(options, OPTION_TOKEN);
	const char *backup = cmdline_text(options, OPTION_BACKUP);
	int64_t days = 90;
	struct json_writer writer;
	if (token == NULL)
		return cmdline_missing(&ctl->options, OPTION_TOKEN, err);
	if (cmdline_given(options, OPTION_RETENTION_DAYS) &&
		!cmdline_number(options, OPTION_RETENTION_DAYS, 7, 90, &days, err))
		return false;
	json_writer_init(&writer, body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "token", token);
	json_write_int(&writer, "retentionDays", days);
	json_write_bool(&writer, "enablePurgeProtection",
		cmdline_flag(options, OPTION_PURGE_PROTECTION, false));
	json_write_text(&writer, "backup", backup != NULL ? backup : "trusted");
	if (!ctl_write_tags(ctl, &writer, err))
		return false;
	json_write_end(&writer);
	return json_writer_ok(&writer) || err_set(err, ERR_TOO_LARGE, NULL);
}

/* All permissions, as az gives the creator. */
static int
allow_self(const struct ctl *ctl, const char *vault, const char *principal)
{
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	(void)buf_text(&body, "{\"permissions\":{\"keys\":[\"all\"]}}");
	policy_path(vault, principal, path);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "PUT", NULL, path, &body, &exit_code);
	if (answer == NULL) {
		ctl_warn(ctl,
			"the vault %s was made, but the caller has no permissions on it yet: use "
			"custodyctl keyvault set-policy.",
			vault);
		return exit_code;
	}
	return answer_vault(ctl, answer);
}

int
ctl_keyvault_create(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char principal[PRINCIPAL_MAX];
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	bool self = !cmdline_flag(&ctl->options, OPTION_NO_SELF_PERMS, false);
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!ctl_vault_name(ctl, &name, &err) || !write_create(ctl, &body, &err))
		return ctl_fail(ctl, &err);
	own_principal(ctl, principal);
	(void)snprintf(path, sizeof(path), "/vaults/%s", name);
	CLEAN(json)
	struct json_value *vault = ctl_call(ctl, "PUT", NULL, path, &body, &exit_code);
	if (vault == NULL)
		return exit_code;
	return self ? allow_self(ctl, name, principal) : answer_vault(ctl, vault);
}

/* ---- list, show, update, delete ---- */

int
ctl_keyvault_list(struct ctl *ctl)
{
	int exit_code = EXIT_OK;
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "GET", NULL, "/vaults", NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	const struct json_value *vaults = json_member(answer, "value");
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	for (size_t i = 0; i < json_count(vaults); i++)
		answers_vault(&writer, NULL, json_item(vaults, i));
	json_write_end(&writer);
	json_write_end(&writer);
	return ctl_answer(ctl, &json, "value", vault_columns);
}

/* One call on /vaults/<name> whose answer is the vault. */
static int
call_vault(const struct ctl *ctl, const char *method, const struct buf *body)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	if (!ctl_vault_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/vaults/%s", name);
	CLEAN(json)
	struct json_value *vault = ctl_call(ctl, method, NULL, path, body, &exit_code);
	return vault != NULL ? answer_vault(ctl, vault) : exit_code;
}

int
ctl_keyvault_show(struct ctl *ctl)
{
	return call_vault(ctl, "GET", NULL);
}

static bool
write_update(const struct ctl *ctl, struct buf *body, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	struct json_writer writer;
	int64_t days;
	json_writer_init(&writer, body);
	json_write_object(&writer, NULL);
	if (cmdline_given(options, OPTION_RETENTION_DAYS)) {
		if (!cmdline_number(options, OPTION_RETENTION_DAYS, 7, 90, &days, err))
			return false;
		json_write_int(&writer, "retentionDays", days);
	}
	if (cmdline_given(options, OPTION_PURGE_PROTECTION))
		json_write_bool(&writer, "enablePurgeProtection",
			cmdline_flag(options, OPTION_PURGE_PROTECTION, false));
	if (!ctl_write_tags(ctl, &writer, err))
		return false;
	json_write_end(&writer);
	return json_writer_ok(&writer) || err_set(err, ERR_TOO_LARGE, NULL);
}

int
ctl_keyvault_update(struct ctl *ctl)
{
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!write_update(ctl, &body, &err))
		return ctl_fail(ctl, &err);
	return call_vault(ctl, "PATCH", &body);
}

int
ctl_keyvault_delete(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	char question[128];
	int exit_code = EXIT_OK;
	if (!ctl_vault_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(question, sizeof(question), "Delete the vault %s? (yes/no)", name);
	if (!cmdline_flag(&ctl->options, OPTION_YES, false) &&
		!terminal_confirm(question, "yes", &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/vaults/%s", name);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "DELETE", NULL, path, NULL, &exit_code);
	return answer != NULL ? EXIT_OK : exit_code;
}

/* Also for a name that is none: that is one of the answers. */
int
ctl_keyvault_check_name(struct ctl *ctl)
{
	static const struct output_column columns[] = {
		{"NameAvailable", "nameAvailable"},
		{"Reason",        "reason"       },
		{"Message",       "message"      },
		{NULL,            NULL           },
	};
	struct err err;
	char encoded[3 * PRINCIPAL_MAX];
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	const char *name = cmdline_text(&ctl->options, OPTION_NAME);
	if (name == NULL && !cmdline_missing(&ctl->options, OPTION_NAME, &err))
		return ctl_fail(ctl, &err);
	if (*name == '\0' || strlen(name) >= PRINCIPAL_MAX) {
		(void)err_set(&err, ERR_CLIENT_USAGE, "--name must be a name.");
		return ctl_fail(ctl, &err);
	}
	percent_encode(name, encoded, sizeof(encoded));
	(void)snprintf(path, sizeof(path), "/vaults/%s/availability", encoded);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "GET", NULL, path, NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, ANSWER_MAX);
	json_writer_init(&writer, &json);
	answers_copy(&writer, NULL, answer);
	return ctl_answer(ctl, &json, NULL, columns);
}

/* ---- policies ---- */

/* The daemon's spelling of a permission; az takes any case. NULL: there is none. */
static const char *
find_permission(const char *word, size_t len)
{
	if (len == 3 && strncasecmp(word, "all", 3) == 0)
		return "all";
	for (size_t i = 0; i < custodyctl_permission_count; i++) {
		const char *known = custodyctl_permissions[i].word;
		if (strlen(known) == len && strncasecmp(known, word, len) == 0)
			return known;
	}
	return NULL;
}

static bool
write_permissions(const struct ctl *ctl, struct json_writer *writer, struct err *err)
{
	const struct option_values *given = &ctl->options.values[OPTION_KEY_PERMISSIONS];
	if (given->count == 0)
		return cmdline_missing(&ctl->options, OPTION_KEY_PERMISSIONS, err);
	json_write_array(writer, "keys");
	for (size_t i = 0; i < given->count; i++) {
		const char *word = given->words[i];
		while (*(word += strspn(word, ", ")) != '\0') {
			size_t len = strcspn(word, ", ");
			const char *known = find_permission(word, len);
			if (known == NULL)
				return err_set(err, ERR_CLIENT_USAGE,
					"%.*s is not a permission; see custodyctl help "
					"permissions.",
					(int)(len < 64 ? len : 64), word);
			json_write_text(writer, NULL, known);
			word += len;
		}
	}
	json_write_end(writer);
	return true;
}

int
ctl_keyvault_set_policy(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char principal[PRINCIPAL_MAX];
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf body;
	struct json_writer writer;
	buf_init(&body, BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_object(&writer, "permissions");
	if (!ctl_vault_name(ctl, &name, &err) || !read_principal(ctl, principal, &err) ||
		!write_permissions(ctl, &writer, &err))
		return ctl_fail(ctl, &err);
	json_write_end(&writer);
	json_write_end(&writer);
	policy_path(name, principal, path);
	CLEAN(json)
	struct json_value *vault = ctl_call(ctl, "PUT", NULL, path, &body, &exit_code);
	return vault != NULL ? answer_vault(ctl, vault) : exit_code;
}

int
ctl_keyvault_delete_policy(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char principal[PRINCIPAL_MAX];
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	if (!ctl_vault_name(ctl, &name, &err) || !read_principal(ctl, principal, &err))
		return ctl_fail(ctl, &err);
	policy_path(name, principal, path);
	CLEAN(json)
	struct json_value *vault = ctl_call(ctl, "DELETE", NULL, path, NULL, &exit_code);
	return vault != NULL ? answer_vault(ctl, vault) : exit_code;
}
