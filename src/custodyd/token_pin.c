/*
 * The PIN's side of a token: whether its source changed, which PIN was refused, and the socket at which a person
 * gives one. The PIN itself is the worker's alone.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/token_priv.h"

/* Where the PIN lies; false: not in a file. */
static bool
pin_path(const struct token *token, char path[static PATH_MAX])
{
	static const char file[] = "file:", credential[] = "credential:";
	const char *source = token->pin_source, *directory = getenv("CREDENTIALS_DIRECTORY");
	int len = -1;
	if (strncmp(source, file, sizeof(file) - 1) == 0)
		len = snprintf(path, PATH_MAX, "%s", source + sizeof(file) - 1);
	else if (strncmp(source, credential, sizeof(credential) - 1) == 0 && directory != NULL)
		len = snprintf(path, PATH_MAX, "%s/%s", directory, source + sizeof(credential) - 1);
	return len >= 0 && len < PATH_MAX;
}

bool
token_stamp_pin(const struct token *token, struct token_stamp *ret_stamp)
{
	struct stat found;
	char path[PATH_MAX];
	if (!pin_path(token, path) || stat(path, &found) != 0)
		return false;
	*ret_stamp = (struct token_stamp){
		.device = found.st_dev,
		.inode = found.st_ino,
		.size = found.st_size,
		.modified_ns = found.st_mtim.tv_sec * INT64_C(1000000000) + found.st_mtim.tv_nsec,
		.changed_ns = found.st_ctim.tv_sec * INT64_C(1000000000) + found.st_ctim.tv_nsec,
	};
	return true;
}

bool
token_pin_changed(const struct token *token)
{
	struct token_stamp now;
	const struct token_stamp *then = &token->pin_stamp;
	return token_stamp_pin(token, &now) &&
	       (now.device != then->device || now.inode != then->inode || now.size != then->size ||
		       now.modified_ns != then->modified_ns || now.changed_ns != then->changed_ns);
}

/* Remembered across restarts of worker and daemon before anything else is tried (threats B11). */
void
token_remember_pin(struct token *token, const uint8_t *digest)
{
	const struct tokens_host *host = &token->set->host;
	struct token_record *record = &token->record;
	struct err err = {0};
	if (record->pin_refused &&
		memcmp(record->pin_digest, digest, sizeof(record->pin_digest)) == 0)
		return; /* it was compared, not tried again */
	record->pin_refused = true;
	memcpy(record->pin_digest, digest, sizeof(record->pin_digest));
	if (!host->refuse_pin(host->ctx, token->name, record->pin_salt, record->pin_digest, &err))
		log_err(LOG_LEVEL_ERROR, "token.pin", &err, LOG_TEXT("token", token->name));
}

void
token_forget_pin(struct token *token)
{
	const struct tokens_host *host = &token->set->host;
	struct err err = {0};
	if (!token->record.pin_refused)
		return;
	token->record.pin_refused = false;
	if (!host->accept_pin(host->ctx, token->name, &err))
		log_err(LOG_LEVEL_WARNING, "token.pin", &err, LOG_TEXT("token", token->name));
}

/* A person connected: checks who, and hands the connection to the worker that waits for it. */
static bool
take_login(void *ctx, int fd, struct err *err)
{
	struct token *token = ctx;
	const struct tokens_host *host = &token->set->host;
	if (!host->may_login(host->ctx, fd))
		return err_set(err, ERR_ACCESS_DENIED, NULL);
	if (token->state != TOKEN_STATE_LOGIN_NEEDED || token->launch == NULL)
		return err_set(err, ERR_CONFLICT, "The token waits for no PIN now.");
	if (token->launch->phase != LAUNCH_ASKS || !worker_alive(token->launch->worker))
		return err_set(err, ERR_CONFLICT, "Somebody else is logging in to the token now.");
	launch_login(token->launch, fd);
	token_wake(token);
	return true;
}

bool
token_listen_login(struct token *token, struct err *err)
{
	struct login_owner owner = {token, take_login};
	if (token->login == NULL)
		token->login =
			login_new(token->set->loop, token->set->socket, token->name, &owner, err);
	return token->login != NULL;
}
