/* depctl mailbox policy purge certificate and certify, purge verify, organization: what proves that data is gone. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ctl/depctl.h"
#include "ctl/terminal.h"

#define CERTIFICATE_MAX 1572864
#define PEM_MAX         1048576

static const struct output_column certificate_columns[] = {
	{"Kind",        "kind"       },
	{"Issued",      "issued"     },
	{"Certificate", "certificate"},
	{NULL,          NULL         },
};

static const struct output_column statement_columns[] = {
	{"Kind",         "kind"        },
	{"Organization", "organization"},
	{"Policy",       "policy"      },
	{"Name",         "name"        },
	{"Mailboxes",    "mailboxes"   },
	{"Issued",       "issued"      },
	{NULL,           NULL          },
};

static const struct output_column organization_columns[] = {
	{"Name",        "name"                  },
	{"SigningKey",  "signingKey.kid"        },
	{"Fingerprint", "signingKey.fingerprint"},
	{NULL,          NULL		    },
};

/* The text of a member of an answer, to --out. */
static int
write_member(struct ctl *ctl, const char *path, const char *object, const char *member)
{
	int exit_code = EXIT_OK;
	struct err err;
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "GET", NULL, path, NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	const char *text = json_text(
		json_member(object != NULL ? json_member(answer, object) : answer, member));
	if (text == NULL) {
		(void)err_set(&err, ERR_CLIENT_ANSWER, NULL);
		return ctl_fail(ctl, &err);
	}
	return depctl_write_file(ctl, cmdline_text(&ctl->options, OPTION_OUT), text);
}

/* ---- certificates ---- */

int
depctl_mailbox_policy_purge_certificate(struct ctl *ctl)
{
	char path[DEPCTL_PATH_SIZE], tail[64];
	struct err err;
	(void)snprintf(tail, sizeof(tail), "/purge/certificates/%s?kind=mailbox",
		cmdline_flag(&ctl->options, OPTION_IRRECOVERABLE, false) ? "irrecoverable"
									 : "destroyed");
	if (!depctl_path("/policies/", ctl->options.arguments[0], tail, path, &err))
		return ctl_fail(ctl, &err);
	return write_member(ctl, path, NULL, "certificate");
}

int
depctl_mailbox_policy_purge_certify(struct ctl *ctl)
{
	char path[DEPCTL_PATH_SIZE];
	const char *text = cmdline_text(&ctl->options, OPTION_BACKUPS_DESTROYED);
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	if ((text == NULL && !cmdline_missing(&ctl->options, OPTION_BACKUPS_DESTROYED, &err)) ||
		!depctl_path("/policies/", ctl->options.arguments[0], "/purge/certify?kind=mailbox",
			path, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "backupsDestroyed", text);
	json_write_end(&writer);
	return ctl_show(ctl, "POST", path, buf_peek(&body), NULL, false, certificate_columns, NULL);
}

static bool
read_file(const struct ctl *ctl, int option, struct buf *text, struct err *err)
{
	const char *path = cmdline_text(&ctl->options, option);
	return path != NULL ? terminal_read(path, text, err)
			    : cmdline_missing(&ctl->options, option, err);
}

int
depctl_purge_verify(struct ctl *ctl)
{
	bool approvals = cmdline_text(&ctl->options, OPTION_AUTHORITIES) != NULL;
	struct custody_error error = {.status = 0};
	struct err err;
	char *statement = NULL;
	CLEAN(buf)
	struct buf certificate, public_key, authorities;
	buf_init(&certificate, CERTIFICATE_MAX);
	buf_init(&public_key, PEM_MAX);
	buf_init(&authorities, PEM_MAX);
	if (!terminal_read(ctl->options.arguments[0], &certificate, &err) ||
		!read_file(ctl, OPTION_PUBLIC_KEY, &public_key, &err) ||
		(approvals && !read_file(ctl, OPTION_AUTHORITIES, &authorities, &err)))
		return ctl_fail(ctl, &err);
	if (!custody_purge_certificate_verify(buf_peek(&certificate), buf_peek(&public_key),
		    approvals ? buf_peek(&authorities) : NULL, &statement, &error))
		return ctl_fail_call(ctl, &error);
	if (!approvals)
		ctl_warn(ctl, "the approvals in it were not verified; give --authorities for that");
	CLEAN(buf)
	struct buf json;
	buf_init(&json, OUTPUT_MAX);
	(void)buf_text(&json, statement);
	custody_text_free(statement);
	return ctl_answer(ctl, &json, NULL, statement_columns);
}

/* ---- the organization ---- */

int
depctl_organization_show(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/organization", NULL, NULL, false, organization_columns, NULL);
}

int
depctl_organization_public_key(struct ctl *ctl)
{
	return write_member(ctl, "/organization", "signingKey", "pem");
}
