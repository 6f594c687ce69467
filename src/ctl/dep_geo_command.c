/* depctl geo. */
#include <string.h>
#include <strings.h>

#include "ctl/depctl.h"

static const struct output_column geo_columns[] = {
	{"Geo",        "name"      },
	{"State",      "state"     },
	{"Percentage", "percentage"},
	{"Onboarded",  "onboarded" },
	{"Sites",      "sites"     },
	{"Primary",    "primary"   },
	{"Secondary",  "secondary" },
	{NULL,         NULL        },
};

static const struct output_column update_columns[] = {
	{"Geo",        "geo.name"      },
	{"State",      "geo.state"     },
	{"Percentage", "geo.percentage"},
	{"Updated",    "updated"       },
	{"Message",    "message"       },
	{NULL,         NULL            },
};

/* Options that name a key by its parts. */
struct key_options {
	const char *member;
	int vault, name, version;
};

static const struct key_options both_keys[] = {
	{"primary",   OPTION_PRIMARY_VAULT,   OPTION_PRIMARY_NAME,   OPTION_PRIMARY_VERSION  },
	{"secondary", OPTION_SECONDARY_VAULT, OPTION_SECONDARY_NAME, OPTION_SECONDARY_VERSION},
};

static const struct key_options one_key = {"key", OPTION_VAULT, OPTION_KEY_NAME, OPTION_VERSION};

/* A geo is named by its name or by the URL of its admin site, of which the host stands in the path. */
static bool
geo_path(const char *geo, const char *tail, char path[static DEPCTL_PATH_SIZE], struct err *err)
{
	static const char scheme[] = "https://";
	char host[DEPCTL_PATH_SIZE];
	if (strncasecmp(geo, scheme, sizeof(scheme) - 1) == 0)
		geo += sizeof(scheme) - 1;
	size_t len = strlen(geo);
	if (len > 0 && geo[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(host))
		return err_set(err, ERR_CLIENT_USAGE,
			"A geo is named by its name or the URL of its admin site.");
	memcpy(host, geo, len);
	host[len] = '\0';
	return depctl_path("/geos/", host, tail, path, err);
}

static void
write_key(struct ctl *ctl, struct json_writer *writer, const struct key_options *options)
{
	const struct {
		const char *member;
		int option;
	} parts[] = {
		{"vault",   options->vault  },
		{"name",    options->name   },
		{"version", options->version},
	};
	json_write_object(writer, options->member);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *text = cmdline_text(&ctl->options, parts[i].option);
		if (text != NULL)
			json_write_text(writer, parts[i].member, text);
	}
	json_write_end(writer);
}

/* The keys as they were named; what is missing the daemon says. */
static void
write_keys(
	struct ctl *ctl, struct json_writer *writer, const struct key_options *keys, size_t count)
{
	ctl_write_words(ctl, writer, "keys", OPTION_KEY);
	for (size_t i = 0; i < count; i++) {
		const struct key_options *key = &keys[i];
		if (cmdline_given(&ctl->options, key->vault) ||
			cmdline_given(&ctl->options, key->name) ||
			cmdline_given(&ctl->options, key->version))
			write_key(ctl, writer, key);
	}
}

static int
ask(struct ctl *ctl, const char *method, const char *tail, const char *body,
	const struct output_column *columns)
{
	char path[DEPCTL_PATH_SIZE];
	struct err err;
	if (!geo_path(ctl->options.arguments[0], tail, path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, method, path, body, NULL, false, columns, NULL);
}

int
depctl_geo_register(struct ctl *ctl)
{
	struct json_writer writer;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	write_keys(ctl, &writer, both_keys, ARRAY_LEN(both_keys));
	json_write_end(&writer);
	return ask(ctl, "POST", "/register", buf_peek(&body), geo_columns);
}

int
depctl_geo_update(struct ctl *ctl)
{
	const char *key_type = cmdline_text(&ctl->options, OPTION_KEY_TYPE);
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (key_type == NULL && !cmdline_missing(&ctl->options, OPTION_KEY_TYPE, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "keyType", key_type);
	write_keys(ctl, &writer, &one_key, 1);
	json_write_end(&writer);
	return ask(ctl, "POST", "/update", buf_peek(&body), update_columns);
}

int
depctl_geo_recover(struct ctl *ctl)
{
	const char *reason = cmdline_text(&ctl->options, OPTION_REASON);
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (reason == NULL && !cmdline_missing(&ctl->options, OPTION_REASON, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "reason", reason);
	write_keys(ctl, &writer, both_keys, ARRAY_LEN(both_keys));
	json_write_end(&writer);
	return ask(ctl, "POST", "/recover", buf_peek(&body), geo_columns);
}

int
depctl_geo_rollback(struct ctl *ctl)
{
	return ask(ctl, "POST", "/rollback", "{}", geo_columns);
}

int
depctl_geo_purge(struct ctl *ctl)
{
	return ask(ctl, "POST", "/purge", "{}", geo_columns);
}

int
depctl_geo_show(struct ctl *ctl)
{
	return ask(ctl, "GET", "", NULL, geo_columns);
}

int
depctl_geo_list(struct ctl *ctl)
{
	return depctl_list(ctl, "/geos?top=256", geo_columns);
}
