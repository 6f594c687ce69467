/* depctl approver, and depctl mailbox policy purge. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ctl/depctl.h"
#include "ctl/terminal.h"

#define CERTIFICATE_MAX 32768
#define DOCUMENT_MAX    131072
#define SIGNATURE_MAX   16384
#define APPROVAL_MAX    262144 /* octets of the request */

static const struct output_column approver_columns[] = {
	{"Name",        "name"       },
	{"Subject",     "subject"    },
	{"Fingerprint", "fingerprint"},
	{"Expires",     "expires"    },
	{"Warning",     "warning"    },
	{NULL,          NULL         },
};

static const struct output_column purge_columns[] = {
	{"Name",      "name"     },
	{"State",     "state"    },
	{"Step",      "step"     },
	{"Void",      "void"     },
	{"Mailboxes", "mailboxes"},
	{"Erased",    "erased"   },
	{"Due",       "due"      },
	{"SHA256",    "sha256"   },
	{NULL,        NULL       },
};

/* A file that an option must name. */
static bool
read_option(const struct ctl *ctl, int option, struct buf *octets, struct err *err)
{
	const char *path = cmdline_text(&ctl->options, option);
	if (path == NULL)
		return cmdline_missing(&ctl->options, option, err);
	return terminal_read(path, octets, err);
}

/* ---- approvers ---- */

static int
put_approver(struct ctl *ctl, bool replace)
{
	char path[DEPCTL_PATH_SIZE] = "/approvers";
	const char *name = ctl->options.arguments[0];
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf certificate, body;
	buf_init(&certificate, CERTIFICATE_MAX);
	buf_init(&body, DEPCTL_BODY_MAX);
	if (!read_option(ctl, OPTION_CERTIFICATE, &certificate, &err) ||
		(replace && !depctl_path("/approvers/", name, "", path, &err)))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	if (!replace)
		json_write_text(&writer, "name", name);
	json_write_chars(&writer, "certificate", buf_peek(&certificate), certificate.len);
	json_write_end(&writer);
	return ctl_show(ctl, replace ? "PUT" : "POST", path, buf_peek(&body), NULL, false,
		approver_columns, NULL);
}

int
depctl_approver_add(struct ctl *ctl)
{
	return put_approver(ctl, false);
}

int
depctl_approver_replace(struct ctl *ctl)
{
	return put_approver(ctl, true);
}

int
depctl_approver_list(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/approvers", NULL, "value", false, approver_columns, NULL);
}

int
depctl_clock_confirm(struct ctl *ctl)
{
	return ctl_confirm_clock(ctl, cmdline_flag(&ctl->options, OPTION_YES, false));
}

/* ---- purges ---- */

static bool
purge_path(const struct ctl *ctl, const char *action, char path[static DEPCTL_PATH_SIZE],
	struct err *err)
{
	char tail[64];
	(void)snprintf(tail, sizeof(tail), "/purge%s?kind=mailbox", action);
	return depctl_path("/policies/", ctl->options.arguments[0], tail, path, err);
}

static int
ask(struct ctl *ctl, const char *method, const char *action, const char *body)
{
	char path[DEPCTL_PATH_SIZE];
	struct err err;
	if (!purge_path(ctl, action, path, &err))
		return ctl_fail(ctl, &err);
	return ctl_show(ctl, method, path, body, NULL, false, purge_columns, NULL);
}

int
depctl_mailbox_policy_purge_request(struct ctl *ctl)
{
	static const struct {
		int option;
		const char *member;
	} texts[] = {
		{OPTION_REASON,  "reason" },
		{OPTION_CONTACT, "contact"},
	};
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, DEPCTL_BODY_MAX);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = cmdline_text(&ctl->options, texts[i].option);
		if (text == NULL && !cmdline_missing(&ctl->options, texts[i].option, &err))
			return ctl_fail(ctl, &err);
		json_write_text(&writer, texts[i].member, text);
	}
	json_write_bool(&writer, "exitingService",
		cmdline_flag(&ctl->options, OPTION_EXITING_SERVICE, false));
	json_write_end(&writer);
	return ask(ctl, "POST", "", buf_peek(&body));
}

int
depctl_mailbox_policy_purge_show(struct ctl *ctl)
{
	return ask(ctl, "GET", "", NULL);
}

int
depctl_mailbox_policy_purge_cancel(struct ctl *ctl)
{
	return ask(ctl, "DELETE", "", NULL);
}

int
depctl_write_file(const struct ctl *ctl, const char *path, const char *text)
{
	struct err err;
	CLEAN(outfile)
	struct outfile file = {.fd = -1};
	if (!outfile_open(path != NULL ? path : "-", false, &file, &err) ||
		!file_write_all(file.fd, text, strlen(text), &err) || !outfile_finish(&file, &err))
		return ctl_fail(ctl, &err);
	return EXIT_OK;
}

/* Its exact octets, nothing before or after: that is what is signed. */
int
depctl_mailbox_policy_purge_document(struct ctl *ctl)
{
	int exit_code = EXIT_OK;
	char path[DEPCTL_PATH_SIZE];
	struct err err;
	if (!purge_path(ctl, "", path, &err))
		return ctl_fail(ctl, &err);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "GET", NULL, path, NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	const char *document = json_text(json_member(answer, "document"));
	if (document == NULL) {
		(void)err_set(&err, ERR_PURGE_NOT_REQUESTED, NULL);
		return ctl_fail(ctl, &err);
	}
	return depctl_write_file(ctl, cmdline_text(&ctl->options, OPTION_OUT), document);
}

int
depctl_mailbox_policy_purge_approve(struct ctl *ctl)
{
	struct json_writer writer;
	struct err err;
	CLEAN(buf)
	struct buf document, signature, body;
	buf_init(&document, DOCUMENT_MAX);
	buf_init(&signature, SIGNATURE_MAX);
	buf_init(&body, APPROVAL_MAX);
	if (!read_option(ctl, OPTION_DOCUMENT, &document, &err) ||
		!read_option(ctl, OPTION_SIGNATURE, &signature, &err))
		return ctl_fail(ctl, &err);
	json_writer_init(&writer, &body);
	json_write_object(&writer, NULL);
	json_write_base64(&writer, "document", document.data, document.len);
	json_write_base64(&writer, "signature", signature.data, signature.len);
	json_write_end(&writer);
	return ask(ctl, "POST", "/approve", buf_peek(&body));
}
