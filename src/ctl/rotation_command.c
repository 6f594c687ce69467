/* custodyctl key rotate, key rotation-policy show, update. */
#include "custodyctl.h"

#include <stdio.h>

#include "ctl/terminal.h"

#define POLICY_MAX 16384
#define PATH_SIZE  256

static const struct output_column policy_columns[] = {
	{"Id",         "id"		   },
	{"ExpiryTime", "attributes.expiryTime"},
	{"Created",    "attributes.created"   },
	{"Updated",    "attributes.updated"   },
	{NULL,         NULL		   },
};

/* The times of a policy are shown as the dialect has them: what is shown can be given to update. */
static int
call_policy(const struct ctl *ctl, const char *method, const struct target *target,
	const struct buf *body)
{
	char path[PATH_SIZE];
	int exit_code = EXIT_OK;
	(void)snprintf(path, sizeof(path), "/keys/%s/rotationpolicy", target->name);
	CLEAN(json)
	struct json_value *policy = ctl_call(ctl, method, target->vault, path, body, &exit_code);
	if (policy == NULL)
		return exit_code;
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	answers_copy(&writer, NULL, policy);
	return ctl_answer(ctl, &json, NULL, policy_columns);
}

int
ctl_key_rotation_policy_show(struct ctl *ctl)
{
	struct err err;
	struct target target;
	if (!ctl_target_key(ctl, &target, &err))
		return ctl_fail(ctl, &err);
	return call_policy(ctl, "GET", &target, NULL);
}

int
ctl_key_rotation_policy_update(struct ctl *ctl)
{
	struct err err;
	struct target target;
	CLEAN(buf)
	struct buf policy;
	buf_init(&policy, POLICY_MAX);
	if (!ctl_target_key(ctl, &target, &err) ||
		!terminal_read(cmdline_text(&ctl->options, OPTION_IN), &policy, &err))
		return ctl_fail(ctl, &err);
	return call_policy(ctl, "PUT", &target, &policy);
}
