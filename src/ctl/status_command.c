/* custodyctl status, doctor, token ..., help. */
#include "custodyctl.h"

#include <stdio.h>
#include <string.h>

#include "ctl/terminal.h"
#include "json/json_writer.h"

#define PATH_SIZE 256
#define PIN_MAX   256
#define BODY_MAX  16384

static const struct output_column token_columns[] = {
	{"Name",     "name"           },
	{"Region",   "region"         },
	{"State",    "state"          },
	{"Enrolled", "enrolled"       },
	{"Sessions", "sessions"       },
	{"InFlight", "inFlight"       },
	{"Breaker",  "breaker"        },
	{"Pid",      "worker.pid"     },
	{"Restarts", "worker.restarts"},
	{"Detail",   "detail"         },
	{NULL,       NULL             },
};

static const struct output_column finding_columns[] = {
	{"Kind",    "kind"   },
	{"Subject", "subject"},
	{"Message", "message"},
	{NULL,      NULL     },
};

int
ctl_status(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/status", NULL, "tokens", false, token_columns, NULL);
}

int
ctl_doctor(struct ctl *ctl)
{
	size_t count = 0;
	int exit_code =
		ctl_show(ctl, "GET", "/doctor", NULL, "findings", true, finding_columns, &count);
	return exit_code == EXIT_OK && count > 0 ? EXIT_NO : exit_code;
}

int
ctl_token_list(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/tokens", NULL, "value", true, token_columns, NULL);
}

int
ctl_token_show(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	if (!ctl_token_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/tokens/%s", name);
	return ctl_show(ctl, "GET", path, NULL, NULL, false, token_columns, NULL);
}

/* Whoever takes a token from a catalog that still lives puts an end to its service (threat D12): a person says so. */
static bool
confirm_take_over(const struct ctl *ctl, const char *name, struct err *err)
{
	char question[192];
	(void)snprintf(question, sizeof(question),
		"Take token %s from the catalog that has it, which then refuses it? (yes/no)",
		name);
	return cmdline_flag(&ctl->options, OPTION_YES, false) ||
	       terminal_confirm(question, "yes", err);
}

int
ctl_token_enroll(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	bool take_over = cmdline_flag(&ctl->options, OPTION_TAKE_OVER, false);
	if (!ctl_token_name(ctl, &name, &err) || (take_over && !confirm_take_over(ctl, name, &err)))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/tokens/%s/enroll", name);
	return ctl_show(ctl, "POST", path, take_over ? "{\"takeOver\":true}" : "{}", NULL, false,
		token_columns, NULL);
}

/* Threat F12: the PIN comes from the terminal, a private file or standard input, and from nowhere else. */
int
ctl_token_login(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	const char *name;
	char prompt[96];
	CLEAN(buf)
	struct buf pin;
	buf_init(&pin, PIN_MAX);
	if (!ctl_token_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(prompt, sizeof(prompt), "PIN of token %s: ", name);
	if (!terminal_read_pin(prompt, cmdline_text(&ctl->options, OPTION_PIN_FILE), &pin, &err))
		return ctl_fail(ctl, &err);
	if (!custody_token_login(
		    ctl->client, name, (struct custody_bytes){pin.data, pin.len}, &error))
		return ctl_fail_call(ctl, &error);
	return EXIT_OK;
}

int
ctl_clock_confirm(struct ctl *ctl)
{
	return ctl_confirm_clock(ctl, cmdline_flag(&ctl->options, OPTION_YES, false));
}

static bool
write_reason(const struct ctl *ctl, struct buf *body, struct err *err)
{
	const char *reason = cmdline_text(&ctl->options, OPTION_REASON);
	if (reason == NULL || reason[0] == '\0')
		return err_set(err, ERR_CLIENT_USAGE, "--reason must be given.");
	struct json_writer writer;
	json_writer_init(&writer, body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "reason", reason);
	json_write_end(&writer);
	return true;
}

/* Permissions that were taken away come back by this, and newer keys are lost: a person takes that upon himself (threat D8). */
int
ctl_catalog_accept(struct ctl *ctl)
{
	static const char question[] = "What doctor names as changed since this copy was made is "
				       "given up: permissions that "
				       "were taken away are there again, and what newer keys "
				       "protect cannot be opened. Go on "
				       "with this copy? (yes/no)";
	struct err err;
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!write_reason(ctl, &body, &err) || (!cmdline_flag(&ctl->options, OPTION_YES, false) &&
						       !terminal_confirm(question, "yes", &err)))
		return ctl_fail(ctl, &err);
	CLEAN(json)
	struct json_value *answer =
		ctl_call(ctl, "POST", NULL, "/catalog/accept", &body, &exit_code);
	return answer != NULL ? EXIT_OK : exit_code;
}
