/*
 * What every command of custodyctl works with: the parsed command line, the client, and how it ends. A
 * command is int ctl_<symbol>(struct ctl *), which returns its exit code and has then said why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "ctl/answers.h"
#include "ctl/cmdline.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "lib/custody/custody.h"
#include "json/json_writer.h"

struct ctl {
	const struct command *command;
	struct cmdline options;
	enum output_form form;
	struct custody_client *client;
};

#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	int ctl_##symbol(struct ctl *ctl);
#include "custodyctl.tbl"

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

/* ---- what the command line names ---- */

/* Key, deleted key or vault, from --id or --vault-name, --name and --version. */
struct target {
	char vault[256]; /* name or host, folded */
	char name[ID_KEY_NAME_MAX + 1];
	char version[ID_VERSION_TEXT]; /* "" for the newest */
	char id[CUSTODY_KEY_ID_SIZE];  /* https://<vault>/keys/<name>[/<version>] */
};

bool ctl_target_key(const struct ctl *ctl, struct target *ret_target, struct err *err) MUST_USE;
/* The vault only, from --vault-name or --id (the vault's URI). */
bool ctl_target_vault(const struct ctl *ctl, struct target *ret_target, struct err *err) MUST_USE;
/* --name as the name of a vault or of a token. */
bool ctl_vault_name(const struct ctl *ctl, const char **ret_name, struct err *err) MUST_USE;
bool ctl_token_name(const struct ctl *ctl, const char **ret_name, struct err *err) MUST_USE;

/* ---- requests and answers ---- */

/* A call whose answer is JSON: NULL and an exit code in *ret_exit, or the document (json_free()). */
struct json_value *ctl_call(const struct ctl *ctl, const char *method, const char *vault,
	const char *path, const struct buf *body, int *ret_exit) MUST_USE;
/* Writes the finished answer; see output_write(). */
int ctl_answer(const struct ctl *ctl, const struct buf *json, const char *list,
	const struct output_column *columns);
/* "tags": {...} from --tags, if given. */
bool ctl_write_tags(const struct ctl *ctl, struct json_writer *writer, struct err *err) MUST_USE;
/* An array of the words of a LIST option, each of them separated by commas or not, if given. */
void ctl_write_words(
	const struct ctl *ctl, struct json_writer *writer, const char *name, enum option_id option);
