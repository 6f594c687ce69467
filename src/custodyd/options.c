/* The configuration as structs. Invariant: what options_load() returns is complete, in range and resolved. */
#include "options.h"

#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

/* Kinds of sections as they stand in the file. */
#define KIND_DAEMON      "custodyd"
#define KIND_TOKEN       "token"
#define KIND_APPLICATION "application"

/* An application's section before its user is resolved. */
struct options_application {
	char *name, *user;
};

#define SECTION_DAEMON      struct options_daemon
#define SECTION_TOKEN       struct options_token
#define SECTION_APPLICATION struct options_application

static const struct config_option rows[] = {
#define OPTION(section, key_, member, type_, min_, max_, initial_, reloadable_, help_)             \
	{.kind = KIND_##section,                                                                   \
		.key = key_,                                                                       \
		.type = CONFIG_##type_,                                                            \
		.offset = offsetof(SECTION_##section, member),                                     \
		.min = min_,                                                                       \
		.max = max_,                                                                       \
		.initial = initial_,                                                               \
		.reloadable = reloadable_,                                                         \
		.help = help_},
#include "option.tbl"
};

/* Labels of letters, digits and '-', lower case: what clients compare (akv-contract §3). */
static bool
dns_name_valid(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > 200 || strstr(name, "..") != NULL || name[0] == '.' ||
		name[len - 1] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static bool
check_daemon(const struct config *config, struct options_daemon *daemon, struct err *err)
{
	const struct settings_section section = {config, KIND_DAEMON, ""};
	struct err cause = {0};
	if (!dns_name_valid(daemon->dns_suffix))
		return settings_fail(err, &section, "dns-suffix",
			"must be a domain name in lower case, such as vault.azure.net.");
	if (!id_uuid_valid(daemon->tenant_id))
		return settings_fail(err, &section, "tenant-id", "must be a GUID.");
	if (!access_check_administrators(daemon->administrators, &cause))
		return settings_fail(err, &section, "administrators", cause.message);
	return settings_check(&daemon->settings, &section, err);
}

/* "ask", or one of the prefixes with something behind it; paths are absolute. */
static bool
pin_source_valid(const char *text)
{
	static const struct {
		const char *prefix;
		bool path;
	} forms[] = {
		{"file:",       true },
		{"credential:", false},
		{"command:",    true },
	};
	if (strcmp(text, "ask") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t len = strlen(forms[i].prefix);
		if (strncmp(text, forms[i].prefix, len) != 0)
			continue;
		if (forms[i].path)
			return text[len] == '/';
		return text[len] != '\0' && strchr(text + len, '/') == NULL;
	}
	return false;
}

static bool
resolve_user(const struct settings_section *section, struct options_token *token, struct err *err)
{
	token->uid = geteuid();
	token->gid = getegid();
	if (token->user[0] == '\0')
		return true;
	const struct passwd *user = getpwnam(token->user); /* start and reload: one thread */
	if (user == NULL)
		return settings_fail(err, section, "user", "there is no such user.");
	token->uid = user->pw_uid;
	token->gid = user->pw_gid;
	return true;
}

static bool
check_token(const struct config *config, struct options_token *token, struct err *err)
{
	const struct settings_section section = {config, KIND_TOKEN, token->name};
	if (strncmp(token->uri, "pkcs11:", 7) != 0)
		return settings_fail(err, &section, "uri", "must begin with pkcs11:.");
	if (strstr(token->uri, "pin-value") != NULL || strstr(token->uri, "pin-source") != NULL)
		return settings_fail(
			err, &section, "uri", "must not hold a PIN or its source; use pin-source.");
	if (!pin_source_valid(token->pin_source))
		return settings_fail(err, &section, "pin-source",
			"must be file:/PATH, credential:NAME, command:/PATH or ask.");
	if (!id_token_name_valid(token->region))
		return settings_fail(
			err, &section, "region", "must be 1 to 32 of a-z, 0-9 and '-'.");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (token->one_thread)
		token->sessions = 1;
	else if (token->sessions == 0)
		token->sessions = cpus > 0 ? cpus : 1;
	if (token->sessions > OPTIONS_SESSIONS_MAX)
		token->sessions = OPTIONS_SESSIONS_MAX;
	return resolve_user(&section, token, err);
}

static bool
load_token(
	const struct config *config, const char *name, struct options_token *token, struct err *err)
{
	if (!id_token_name_valid(name))
		return err_set(err, ERR_CONFIG,
			"%s:%d: the name of a [token NAME] must be 1 to 32 of a-z, 0-9 and '-'.",
			config->path, config_line(config, KIND_TOKEN, name, ""));
	if (!config_apply(config, KIND_TOKEN, name, rows, ARRAY_LEN(rows), token, err))
		return false;
	(void)snprintf(token->name, sizeof token->name, "%s", name);
	return check_token(config, token, err);
}

static bool
load_tokens(const struct config *config, struct options *options, struct err *err)
{
	const char *names[OPTIONS_TOKENS_MAX + 1];
	size_t count = config_names(config, KIND_TOKEN, names, ARRAY_LEN(names));
	if (count == 0 || count > OPTIONS_TOKENS_MAX)
		return err_set(err, ERR_CONFIG, "%s: there must be 1 to %d sections [token NAME].",
			config->path, OPTIONS_TOKENS_MAX);
	options->tokens = calloc(count, sizeof *options->tokens);
	if (options->tokens == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		options->token_count = i + 1; /* options_free() takes half a token too */
		if (!load_token(config, names[i], &options->tokens[i], err))
			return false;
	}
	return true;
}

static bool
check_application(const struct config *config, const char *guid,
	const struct options_application *section, struct access_application *ret_application,
	struct err *err)
{
	struct access_application application = {.guid = ""};
	const struct settings_section where = {config, KIND_APPLICATION, guid};
	if (!id_uuid_valid(guid))
		return err_set(err, ERR_CONFIG,
			"%s:%d: [application %s]: the name of the section must be a GUID.",
			config->path, config_line(config, KIND_APPLICATION, guid, ""), guid);
	id_fold(guid, application.guid);
	size_t len = strlen(section->name);
	if (len >= sizeof application.name)
		return settings_fail(err, &where, "name", "at most 64 octets.");
	memcpy(application.name, section->name, len + 1);
	char text[PRINCIPAL_TEXT];
	int wanted = snprintf(text, sizeof text, "user:%s", section->user);
	struct err cause = {.message = "too long"};
	if (wanted < 0 || (size_t)wanted >= sizeof text ||
		!principal_parse(text, &application.user, &cause))
		return settings_fail(err, &where, "user", cause.message);
	*ret_application = application;
	return true;
}

static bool
load_application(const struct config *config, const char *guid,
	struct access_application *ret_application, struct err *err)
{
	struct options_application section = {NULL, NULL};
	if (!config_apply(config, KIND_APPLICATION, guid, rows, ARRAY_LEN(rows), &section, err))
		return false;
	bool done = check_application(config, guid, &section, ret_application, err);
	config_release(KIND_APPLICATION, rows, ARRAY_LEN(rows), &section);
	return done;
}

static bool
load_applications(const struct config *config, struct options *options, struct err *err)
{
	const char *names[OPTIONS_APPLICATIONS_MAX + 1];
	size_t count = config_names(config, KIND_APPLICATION, names, ARRAY_LEN(names));
	if (count > OPTIONS_APPLICATIONS_MAX)
		return err_set(err, ERR_CONFIG,
			"%s: there are more than %d sections [application GUID].", config->path,
			OPTIONS_APPLICATIONS_MAX);
	options->applications = calloc(count + 1, sizeof *options->applications);
	if (options->applications == NULL)
		abort();
	options->application_count = count;
	for (size_t i = 0; i < count; i++)
		if (!load_application(config, names[i], &options->applications[i], err))
			return false;
	return true;
}

static bool
fill(const struct config *config, struct options *options, struct err *err)
{
	return config_check_known(config, rows, ARRAY_LEN(rows), err) &&
	       config_apply(
		       config, KIND_DAEMON, "", rows, ARRAY_LEN(rows), &options->daemon, err) &&
	       check_daemon(config, &options->daemon, err) && load_tokens(config, options, err) &&
	       load_applications(config, options, err);
}

struct options *
options_load(const char *path, struct err *err)
{
	CLEAN(config)
	struct config *config = config_load(path, err);
	if (config == NULL)
		return NULL;
	struct options *options = calloc(1, sizeof *options);
	if (options == NULL)
		abort();
	if (!fill(config, options, err)) {
		options_free(options);
		return NULL;
	}
	return options;
}

void
options_free(struct options *options)
{
	if (options == NULL)
		return;
	config_release(KIND_DAEMON, rows, ARRAY_LEN(rows), &options->daemon);
	for (size_t i = 0; i < options->token_count; i++)
		config_release(KIND_TOKEN, rows, ARRAY_LEN(rows), &options->tokens[i]);
	free(options->tokens);
	free(options->applications);
	free(options);
}

/* The first token from `*next` on in `a` that `b` has not. */
static const struct options_token *
next_alone(const struct options *a, const struct options *b, size_t *next, size_t base)
{
	while (*next >= base && *next - base < a->token_count) {
		const struct options_token *token = &a->tokens[(*next)++ - base];
		if (options_find_token(b, token->name) == NULL)
			return token;
	}
	return NULL;
}

bool
options_keep(
	struct options *running, struct options *loaded, size_t *next, char *ret_name, size_t size)
{
	const char *key = config_keep(
		KIND_DAEMON, rows, ARRAY_LEN(rows), &running->daemon, &loaded->daemon, next);
	if (key != NULL) {
		(void)snprintf(ret_name, size, "[%s] %s", KIND_DAEMON, key);
		return true;
	}
	const struct options_token *token = next_alone(loaded, running, next, ARRAY_LEN(rows));
	if (token == NULL)
		token = next_alone(running, loaded, next, ARRAY_LEN(rows) + loaded->token_count);
	if (token == NULL) {
		settings_keep(&running->daemon.settings, &loaded->daemon.settings);
		return false;
	}
	(void)snprintf(ret_name, size, "[%s %s]", KIND_TOKEN, token->name);
	return true;
}

const struct options_token *
options_find_token(const struct options *options, const char *name)
{
	for (size_t i = 0; i < options->token_count; i++)
		if (strcmp(options->tokens[i].name, name) == 0)
			return &options->tokens[i];
	return NULL;
}

bool
options_row(size_t index, struct options_row *ret_row)
{
	static const char *const types[] = {
		[CONFIG_TEXT] = "text",
		[CONFIG_PATH] = "path",
		[CONFIG_LIST] = "list",
		[CONFIG_BOOL] = "yes/no",
		[CONFIG_INTEGER] = "integer",
		[CONFIG_DURATION] = "duration",
		[CONFIG_SIZE] = "size",
	};
	if (index >= ARRAY_LEN(rows))
		return false;
	const struct config_option *row = &rows[index];
	*ret_row = (struct options_row){.section = row->kind,
		.key = row->key,
		.type = types[row->type],
		.initial = strcmp(row->initial, "!") == 0 ? NULL : row->initial,
		.reloadable = row->reloadable,
		.help = row->help,
		.min = row->min,
		.max = row->max};
	return true;
}
