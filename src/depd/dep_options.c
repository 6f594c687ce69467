/* depd's configuration as structs. Invariant: what dep_options_load() returns is complete, in range and resolved. */
#include "dep_options.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/scope_kind.h"
#include "base/config.h"
#include "depd/keytree.h"

/* Kinds of sections as they stand in the file. */
#define KIND_DAEMON   "depd"
#define KIND_GEO      "geo"
#define KIND_ROLE     "role"
#define KIND_WORKLOAD "workload"

#define SECTIONS_MAX GEOS_MAX /* of one kind; more are unknown or twice */

struct geo_section {
	char *admin_url;
};

struct role_section {
	char *principals;
};

struct workload_section {
	char *principals, *system_principals;
};

#define SECTION_DAEMON   struct dep_options_daemon
#define SECTION_GEO      struct geo_section
#define SECTION_ROLE     struct role_section
#define SECTION_WORKLOAD struct workload_section

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
#include "dep_option.tbl"
};

static bool
resolve_user(const struct settings_section *section, const char *key, const char *name,
	uid_t *ret_uid, struct err *err)
{
	*ret_uid = geteuid();
	if (name[0] == '\0')
		return true;
	const struct passwd *user = getpwnam(name); /* start and reload: one thread */
	if (user == NULL)
		return settings_fail(err, section, key, "there is no such user.");
	*ret_uid = user->pw_uid;
	return true;
}

/* Words of a list. */
static size_t
count_words(const char *text)
{
	size_t count = 0;
	for (const char *word = text + strspn(text, " \t"); *word != '\0'; count++) {
		word += strcspn(word, " \t");
		word += strspn(word, " \t");
	}
	return count;
}

static bool
check_daemon(const struct config *config, struct dep_options_daemon *daemon, struct err *err)
{
	const struct settings_section section = {config, KIND_DAEMON, ""};
	if (strlen(daemon->organization) > KEYTREE_ORG_MAX)
		return settings_fail(err, &section, "organization", "at most 128 octets.");
	if (count_words(daemon->root_vaults) != 2)
		return settings_fail(err, &section, "root-vaults", "must name two vaults.");
	return resolve_user(
		       &section, "owners-user", daemon->owners_user, &daemon->owners_uid, err) &&
	       resolve_user(
		       &section, "service-user", daemon->service_user, &daemon->service_uid, err) &&
	       settings_check(&daemon->settings, &section, err);
}

static bool
parse_list(const struct settings_section *section, const char *key, const char *text,
	struct principals *ret_list, struct err *err)
{
	struct err cause = {0};
	return principals_parse(text, ret_list, &cause) ||
	       settings_fail(err, section, key, cause.message);
}

static bool
load_role(
	const struct config *config, const char *name, struct dep_options *options, struct err *err)
{
	struct roles *roles = &options->roles;
	const struct settings_section where = {config, KIND_ROLE, name};
	enum role_index index;
	if (!roles_find(name, &index))
		return settings_fail(err, &where, "",
			"there is no such role; known are global-admin, compliance-admin, "
			"exchange-admin, recovery-admin, purge-requester, sharepoint-admin and "
			"auditor.");
	struct role_section section = {NULL};
	if (!config_apply(config, KIND_ROLE, name, rows, ARRAY_LEN(rows), &section, err))
		return false;
	bool done =
		parse_list(&where, "principals", section.principals, &roles->people[index], err);
	config_release(KIND_ROLE, rows, ARRAY_LEN(rows), &section);
	return done;
}

static bool
load_workload(
	const struct config *config, const char *name, struct dep_options *options, struct err *err)
{
	struct roles *roles = &options->roles;
	const struct settings_section where = {config, KIND_WORKLOAD, name};
	enum keytree_scope_kind kind;
	if (!scope_kind_find(name, &kind))
		return settings_fail(err, &where, "",
			"there is no such kind of scope; known are mailbox, workload, cloudpc and "
			"site.");
	struct workload_section section = {NULL, NULL};
	if (!config_apply(config, KIND_WORKLOAD, name, rows, ARRAY_LEN(rows), &section, err))
		return false;
	bool done = parse_list(&where, "principals", section.principals, &roles->workloads[kind],
			    err) &&
		    parse_list(&where, "system-principals", section.system_principals,
			    &roles->systems[kind], err);
	config_release(KIND_WORKLOAD, rows, ARRAY_LEN(rows), &section);
	return done;
}

static bool
load_geo(
	const struct config *config, const char *name, struct dep_options *options, struct err *err)
{
	const struct settings_section where = {config, KIND_GEO, name};
	struct geo_section section = {NULL};
	struct err cause = {0};
	if (!config_apply(config, KIND_GEO, name, rows, ARRAY_LEN(rows), &section, err))
		return false;
	bool done = geos_add(&options->geos, name, section.admin_url, &cause) ||
		    settings_fail(err, &where, "admin-url", cause.message);
	config_release(KIND_GEO, rows, ARRAY_LEN(rows), &section);
	return done;
}

typedef bool load_fn(const struct config *config, const char *name, struct dep_options *options,
	struct err *err);

static bool
load_all(const struct config *config, const char *kind, load_fn *load, struct dep_options *options,
	struct err *err)
{
	const char *names[SECTIONS_MAX];
	size_t count = config_names(config, kind, names, ARRAY_LEN(names));
	if (count > ARRAY_LEN(names))
		return err_set(err, ERR_CONFIG, "%s: there are too many sections [%s NAME].",
			config->path, kind);
	for (size_t i = 0; i < count; i++)
		if (!load(config, names[i], options, err))
			return false;
	return true;
}

static bool
fill(const struct config *config, struct dep_options *options, struct err *err)
{
	return config_check_known(config, rows, ARRAY_LEN(rows), err) &&
	       config_apply(
		       config, KIND_DAEMON, "", rows, ARRAY_LEN(rows), &options->daemon, err) &&
	       check_daemon(config, &options->daemon, err) &&
	       load_all(config, KIND_ROLE, load_role, options, err) &&
	       load_all(config, KIND_WORKLOAD, load_workload, options, err) &&
	       load_all(config, KIND_GEO, load_geo, options, err);
}

struct dep_options *
dep_options_load(const char *path, struct err *err)
{
	CLEAN(config)
	struct config *config = config_load(path, err);
	if (config == NULL)
		return NULL;
	struct dep_options *options = calloc(1, sizeof(*options));
	if (options == NULL)
		abort();
	if (!fill(config, options, err)) {
		dep_options_free(options);
		return NULL;
	}
	return options;
}

const char *
dep_options_keep(struct dep_options *running, struct dep_options *loaded, size_t *next)
{
	const char *key = config_keep(
		KIND_DAEMON, rows, ARRAY_LEN(rows), &running->daemon, &loaded->daemon, next);
	if (key == NULL) {
		settings_keep(&running->daemon.settings, &loaded->daemon.settings);
		loaded->daemon.owners_uid = running->daemon.owners_uid;
		loaded->daemon.service_uid = running->daemon.service_uid;
	}
	return key;
}

void
dep_options_free(struct dep_options *options)
{
	if (options == NULL)
		return;
	config_release(KIND_DAEMON, rows, ARRAY_LEN(rows), &options->daemon);
	roles_clear(&options->roles);
	free(options);
}
