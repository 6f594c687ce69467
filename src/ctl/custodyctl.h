/*
 * The commands of custodyctl: int ctl_<symbol>(struct ctl *), see ctl.h; and what its command lines name.
 */
#pragma once

#include "base/id.h"
#include "ctl/ctl.h"

enum option_id {
	OPTION_BEFORE_OWN = OPTION_COMMON_COUNT - 1,
#define OPTION(symbol, long, letter, kind, metavar, help) OPTION_##symbol,
#include "custodyctl.tbl"
	OPTION_COUNT
};

enum command_id {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits) COMMAND_##symbol,
#include "custodyctl.tbl"
	COMMAND_COUNT
};

extern const struct option_row custodyctl_options[OPTION_COUNT];
extern const struct command custodyctl_commands[COMMAND_COUNT];
extern const struct word_row custodyctl_permissions[];
extern const size_t custodyctl_permission_count;

#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	int ctl_##symbol(struct ctl *ctl);
#include "custodyctl.tbl"

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

/* A call on <prefix><name><suffix> whose answer is a key. */
int ctl_call_key(const struct ctl *ctl, const char *method, const struct target *target,
	const char *prefix, const char *suffix, const struct buf *body);

/* "attributes": {...} from --enabled, --disabled, --expires and --not-before. */
bool ctl_write_attributes(
	const struct ctl *ctl, struct json_writer *writer, struct err *err) MUST_USE;
/* "tags": {...} from --tags, if given. */
bool ctl_write_tags(const struct ctl *ctl, struct json_writer *writer, struct err *err) MUST_USE;
