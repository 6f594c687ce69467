/* depctl m365 policy, m365 assignment and mailbox policy. */
#include <stdio.h>

#include "ctl/depctl.h"

static const struct output_column policy_columns[] = {
	{"Name",        "name"       },
	{"State",       "state"      },
	{"Assigned",    "assigned"   },
	{"Id",          "id"         },
	{"Description", "description"},
	{NULL,          NULL         },
};

static const struct output_column refresh_columns[] = {
	{"Name",      "policy.name"},
	{"Refreshed", "refreshed"  },
	{"Message",   "message"    },
	{NULL,        NULL         },
};

static const struct output_column check_columns[] = {
	{"Rule",    "rule"   },
	{"Result",  "result" },
	{"Key",     "key"    },
	{"Message", "message"},
	{NULL,      NULL     },
};

static const struct output_column workload_columns[] = {
	{"Workload",   "name"      },
	{"Policy",     "policy"    },
	{"Percentage", "percentage"},
	{"Encrypted",  "encrypted" },
	{"Scopes",     "scopes"    },
	{"Covers",     "covers"    },
	{NULL,         NULL        },
};

static int
create(struct ctl *ctl, const char *kind)
{
	const char *name = cmdline_text(&ctl->options, OPTION_NAME);
	const char *description = cmdline_text(&ctl->options, OPTION_DESCRIPTION);
	const char *outage = cmdline_text(&ctl->options, OPTION_OUTAGE_FALLBACK);
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (name == NULL && !cmdline_missing(&ctl->options, OPTION_NAME, &err))
		return ctl_fail(ctl, &err);
	if (!cmdline_given(&ctl->options, OPTION_KEY) &&
		!cmdline_missing(&ctl->options, OPTION_KEY, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kind", kind);
	json_write_text(&writer, "name", name);
	if (description != NULL)
		json_write_text(&writer, "description", description);
	if (outage != NULL)
		json_write_text(&writer, "outageFallback", outage);
	ctl_write_words(ctl, &writer, "keys", OPTION_KEY);
	json_write_end(&writer);
	return ctl_show(
		ctl, "POST", "/policies", buf_peek(&body), NULL, false, policy_columns, NULL);
}

static int
list(struct ctl *ctl, const char *kind)
{
	char path[DEPCTL_PATH_SIZE];
	(void)snprintf(path, sizeof(path), "/policies?kind=%s", kind);
	return depctl_list(ctl, path, policy_columns);
}

/* A request about the policy that is named. */
static int
ask(struct ctl *ctl, const char *kind, const char *method, const char *action, const char *body,
	const char *rows, const struct output_column *columns)
{
	char path[DEPCTL_PATH_SIZE], tail[64];
	struct err err;
	(void)snprintf(tail, sizeof(tail), "%s?kind=%s", action, kind);
	if (!depctl_path("/policies/", ctl->options.arguments[0], tail, path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, method, path, body, rows, false, columns, NULL);
}

static int
show(struct ctl *ctl, const char *kind)
{
	return ask(ctl, kind, "GET", "", NULL, NULL, policy_columns);
}

static int
set(struct ctl *ctl, const char *kind)
{
	const char *description = cmdline_text(&ctl->options, OPTION_DESCRIPTION);
	const char *outage = cmdline_text(&ctl->options, OPTION_OUTAGE_FALLBACK);
	struct json_writer writer;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (description == NULL && outage == NULL && !cmdline_given(&ctl->options, OPTION_ENABLED))
		return ctl_fail_usage(
			ctl, "--description, --enabled or --outage-fallback must be given.");
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (description != NULL)
		json_write_text(&writer, "description", description);
	if (outage != NULL)
		json_write_text(&writer, "outageFallback", outage);
	if (cmdline_given(&ctl->options, OPTION_ENABLED))
		json_write_bool(
			&writer, "enabled", cmdline_flag(&ctl->options, OPTION_ENABLED, true));
	json_write_end(&writer);
	return ask(ctl, kind, "PATCH", "", buf_peek(&body), NULL, policy_columns);
}

static int
refresh(struct ctl *ctl, const char *kind)
{
	return ask(ctl, kind, "POST", "/refresh", "{}", NULL, refresh_columns);
}

/* The answer is shown; whether it is yes is the exit code. */
static int
validate(struct ctl *ctl, const char *kind)
{
	int exit_code = EXIT_OK;
	char path[DEPCTL_PATH_SIZE], tail[64];
	struct json_writer writer;
	struct err err;
	bool valid = false;
	CLEAN(buf)
	struct buf empty, json;
	buf_init(&empty, 16);
	buf_init(&json, OUTPUT_MAX);
	(void)buf_text(&empty, "{}");
	(void)snprintf(tail, sizeof(tail), "/validate?kind=%s", kind);
	if (!depctl_path("/policies/", ctl->options.arguments[0], tail, path, &err))
		return ctl_fail(ctl, &err);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "POST", NULL, path, &empty, &exit_code);
	if (answer == NULL)
		return exit_code;
	json_writer_init(&writer, &json);
	answers_copy(&writer, NULL, answer);
	exit_code =
		ctl_answer(ctl, &json, ctl->form != OUTPUT_JSON ? "checks" : NULL, check_columns);
	bool known = json_bool(json_member(answer, "valid"), &valid);
	return exit_code == EXIT_OK && !(known && valid) ? EXIT_NO : exit_code;
}

/* A member of the open object, of an option that must be given. */
static bool
write_required(
	struct ctl *ctl, struct json_writer *writer, const char *name, int option, struct err *err)
{
	const char *text = cmdline_text(&ctl->options, option);
	if (text == NULL)
		return cmdline_missing(&ctl->options, option, err);
	json_write_text(writer, name, text);
	return true;
}

static int
recover(struct ctl *ctl, const char *kind)
{
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (!write_required(ctl, &writer, "reason", OPTION_REASON, &err))
		return ctl_fail(ctl, &err);
	json_write_end(&writer);
	return ask(ctl, kind, "POST", "/recover", buf_peek(&body), NULL, policy_columns);
}

/* ---- the commands ---- */

#define POLICY_COMMANDS(prefix, kind)                                                              \
	int depctl_##prefix##_policy_create(struct ctl *ctl)                                       \
	{                                                                                          \
		return create(ctl, kind);                                                          \
	}                                                                                          \
	int depctl_##prefix##_policy_list(struct ctl *ctl)                                         \
	{                                                                                          \
		return list(ctl, kind);                                                            \
	}                                                                                          \
	int depctl_##prefix##_policy_show(struct ctl *ctl)                                         \
	{                                                                                          \
		return show(ctl, kind);                                                            \
	}                                                                                          \
	int depctl_##prefix##_policy_set(struct ctl *ctl)                                          \
	{                                                                                          \
		return set(ctl, kind);                                                             \
	}                                                                                          \
	int depctl_##prefix##_policy_refresh(struct ctl *ctl)                                      \
	{                                                                                          \
		return refresh(ctl, kind);                                                         \
	}                                                                                          \
	int depctl_##prefix##_policy_validate(struct ctl *ctl)                                     \
	{                                                                                          \
		return validate(ctl, kind);                                                        \
	}
POLICY_COMMANDS(m365, "m365")
POLICY_COMMANDS(mailbox, "mailbox")

int
depctl_m365_assignment_set(struct ctl *ctl)
{
	struct json_writer writer;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "policy", ctl->options.arguments[0]);
	json_write_end(&writer);
	return ctl_show(ctl, "PUT", "/assignments/tenant", buf_peek(&body), "workloads", false,
		workload_columns, NULL);
}

int
depctl_m365_assignment_show(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/assignments/tenant", NULL, "workloads", false,
		workload_columns, NULL);
}

int
depctl_m365_rollback(struct ctl *ctl)
{
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (!write_required(ctl, &writer, "fqdn", OPTION_FQDN, &err) ||
		!write_required(ctl, &writer, "contact", OPTION_CONTACT, &err) ||
		!write_required(ctl, &writer, "reason", OPTION_REASON, &err) ||
		!write_required(ctl, &writer, "incident", OPTION_INCIDENT, &err))
		return ctl_fail(ctl, &err);
	json_write_end(&writer);
	return ctl_show(ctl, "POST", "/assignments/tenant/rollback", buf_peek(&body), "workloads",
		false, workload_columns, NULL);
}

int
depctl_m365_recover(struct ctl *ctl)
{
	return recover(ctl, "m365");
}

int
depctl_m365_purge(struct ctl *ctl)
{
	return ask(ctl, "m365", "POST", "/purge", "{}", NULL, policy_columns);
}

int
depctl_mailbox_policy_recover(struct ctl *ctl)
{
	return recover(ctl, "mailbox");
}
