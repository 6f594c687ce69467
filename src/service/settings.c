/* Invariant: what settings_check() passed is in range, resolved and consistent. */
#include "settings.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

bool
settings_fail(
	struct err *err, const struct settings_section *section, const char *key, const char *what)
{
	return err_set(err, ERR_CONFIG, "%s:%d: [%s%s%s] %s: %s", section->config->path,
		config_line(section->config, section->kind, section->name, key), section->kind,
		*section->name == '\0' ? "" : " ", section->name, key, what);
}

/* Three or four octal digits. */
static bool
parse_mode(const char *text, mode_t *ret_mode)
{
	size_t len = strlen(text);
	if (len < 3 || len > 4 || strspn(text, "01234567") != len)
		return false;
	unsigned long mode = strtoul(text, NULL, 8);
	if (mode > 0777)
		return false;
	*ret_mode = (mode_t)mode;
	return true;
}

bool
settings_check(struct settings *settings, const struct settings_section *section, struct err *err)
{
	if (!parse_mode(settings->socket_mode_text, &settings->socket_mode))
		return settings_fail(err, section, "socket-mode", "must be octal, such as 0666.");
	if (!log_level_parse(settings->log_level_text, &settings->log_level))
		return settings_fail(
			err, section, "log-level", "must be error, warning, info or debug.");
	if (settings->connections_reserved >= settings->connections)
		return settings_fail(
			err, section, "connections-reserved", "must be below connections.");
	settings->socket_gid = (gid_t)-1;
	if (settings->socket_group[0] == '\0')
		return true;
	const struct group *group =
		getgrnam(settings->socket_group); /* start and reload: one thread */
	if (group == NULL)
		return settings_fail(err, section, "socket-group", "there is no such group.");
	settings->socket_gid = group->gr_gid;
	return true;
}

void
settings_keep(const struct settings *running, struct settings *loaded)
{
	loaded->socket_mode = running->socket_mode;
	loaded->socket_gid = running->socket_gid;
}

void
settings_limits(const struct settings *settings, size_t answer_max, struct http_limits *ret_limits)
{
	struct http_limits *limits = ret_limits;
	http_limits_init(limits);
	limits->head_bytes = (size_t)settings->header_size;
	limits->body_bytes = (size_t)settings->body_size;
	limits->answer_bytes = answer_max;
	limits->connections = (size_t)settings->connections;
	limits->connections_uid = (size_t)settings->connections_per_user;
	limits->connections_kept = (size_t)settings->connections_reserved;
	limits->idle_ms = settings->idle_timeout;
	limits->request_ms = settings->request_timeout;
	limits->answer_ms = settings->request_timeout;
	limits->age_ms = settings->connection_age;
}

void
settings_raise_files(const struct settings *settings, size_t beside)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	rlim_t wanted = (rlim_t)settings->connections + beside;
	if (files.rlim_cur >= wanted)
		return;
	files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < wanted)
		log_warning("files.limited", LOG_INT("wanted", wanted),
			LOG_INT("limit", files.rlim_cur));
}
