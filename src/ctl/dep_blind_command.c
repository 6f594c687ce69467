/* depctl blind-fallback: the time to go on without the key owners' custodyd. */
#include "ctl/depctl.h"

#define HOURS_MAX 168 /* as depd allows */

static const struct output_column blind_columns[] = {
	{"Silent",  "silent"        },
	{"Used",    "usedSeconds"   },
	{"Allowed", "allowedSeconds"},
	{"Left",    "leftSeconds"   },
	{NULL,      NULL            },
};

static const struct output_column extend_columns[] = {
	{"Extended", "extended"},
	{"Message",  "message" },
	{NULL,       NULL      },
};

int
depctl_blind_fallback_show(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/blind-fallback", NULL, NULL, false, blind_columns, NULL);
}

int
depctl_blind_fallback_extend(struct ctl *ctl)
{
	const char *reason = cmdline_text(&ctl->options, OPTION_REASON);
	struct json_writer writer;
	struct err err;
	int64_t hours;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if (!cmdline_number(&ctl->options, OPTION_HOURS, 1, HOURS_MAX, &hours, &err) ||
		(reason == NULL && !cmdline_missing(&ctl->options, OPTION_REASON, &err)))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_int(&writer, "hours", hours);
	json_write_text(&writer, "reason", reason);
	json_write_end(&writer);
	return ctl_show(ctl, "POST", "/blind-fallback/extend", buf_peek(&body), NULL, false,
		extend_columns, NULL);
}
