/*
 * What every command of custodyctl and depctl works with: the parsed command line, the client, and how it ends. A
 * command is a function of a struct ctl *, which returns its exit code and has then said why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/answers.h"
#include "ctl/cmdline.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "lib/custody/custody.h"
#include "json/json_writer.h"

struct ctl {
	const struct command_table *table;
	const struct command *command;
	struct cmdline options;
	enum output_form form;
	struct custody_client *client;
};

/* ---- how it ends: each writes one sentence to standard error (and one for each key of an envelope that none
 * opened) and returns the exit code ---- */

int ctl_fail(const struct ctl *ctl, const struct err *err);
int ctl_fail_call(const struct ctl *ctl, const struct custody_error *error);
/* ERR_CLIENT_USAGE with the sentence. */
int ctl_fail_usage(const struct ctl *ctl, const char *fmt, ...) PRINTF(2, 3);
/* Says that a call is to be repeated; `data` is the struct ctl. */
void ctl_waiting(void *data, const char *why, uint32_t wait_ms);
/* Says what the daemon warned of; `data` is the struct ctl. */
void ctl_warned(void *data, const char *text);
/* A warning does not end anything. */
void ctl_warn(const struct ctl *ctl, const char *fmt, ...) PRINTF(2, 3);

/* ---- requests and answers ---- */

/* A call whose answer is JSON: NULL and an exit code in *ret_exit, or the document (json_free()). */
struct json_value *ctl_call(const struct ctl *ctl, const char *method, const char *vault,
	const char *path, const struct buf *body, int *ret_exit) MUST_USE;
/* The same of an own route that older daemons do not have: NULL and EXIT_OK in *ret_exit if this one does not. */
struct json_value *ctl_call_newer(const struct ctl *ctl, const char *path, int *ret_exit) MUST_USE;
/* Writes the finished answer; see output_write(). */
int ctl_answer(const struct ctl *ctl, const struct buf *json, const char *list,
	const struct output_column *columns);
/*
 * A call whose answer is shown as it is. `body` is JSON, NULL for none. `list`: the member that a table has rows of, `always`
 * also in JSON; NULL: there is none. ret_count: how many there are; NULL: not asked.
 */
int ctl_show(const struct ctl *ctl, const char *method, const char *path, const char *body,
	const char *list, bool always, const struct output_column *columns, size_t *ret_count);
/* `custodyctl clock confirm` and that of depctl; asks unless `yes`. Returns the exit code. */
int ctl_confirm_clock(struct ctl *ctl, bool yes);
/* An array of the words of a LIST option, each of them separated by commas or not, if given. */
void ctl_write_words(
	const struct ctl *ctl, struct json_writer *writer, const char *name, int option);
