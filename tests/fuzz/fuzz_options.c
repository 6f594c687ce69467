/* custodyd's whole configuration (threats C27, F20): refused with a sentence, or complete, in range and resolved. */
#include "fuzz.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "custodyd/options.h"

static char path[64];

static void
remove_file(void)
{
	(void)unlink(path);
}

static void
write_file(const uint8_t *data, size_t size)
{
	int fd;
	if (path[0] == '\0') {
		(void)snprintf(path, sizeof(path), "%s/custody-fuzz-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		fd = mkstemp(path);
		assert(atexit(remove_file) == 0);
	} else {
		fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	}
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
}

static void
check_daemon(const struct options_daemon *daemon)
{
	assert(daemon->catalog[0] == '/' && daemon->audit[0] == '/' && daemon->socket[0] == '/');
	assert(daemon->socket_mode <= 0777 && daemon->connections > 0);
	assert(daemon->body_size > 0 && daemon->header_size > 0);
	assert(daemon->log_level >= LOG_LEVEL_ERROR && daemon->log_level <= LOG_LEVEL_DEBUG);
}

static void
check_tokens(const struct options *options)
{
	assert(options->token_count >= 1 && options->token_count <= OPTIONS_TOKENS_MAX);
	for (size_t i = 0; i < options->token_count; i++) {
		const struct options_token *token = &options->tokens[i];
		assert(token->name[0] != '\0' && strpbrk(token->name, "/ \n") == NULL);
		assert(token->sessions >= 1 && token->sessions <= OPTIONS_SESSIONS_MAX);
		assert(!token->one_thread || token->sessions == 1);
		assert(options_find_token(options, token->name) == token);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	if (size > 65536)
		return 0;
	write_file(data, size);
	CLEAN(options)
	struct options *options = options_load(path, &err);
	if (options == NULL) {
		assert(err.code == ERR_CONFIG && err.message[0] != '\0');
		return 0;
	}
	check_daemon(&options->daemon);
	check_tokens(options);
	assert(options->application_count <= OPTIONS_APPLICATIONS_MAX);
	for (size_t i = 0; i < options->application_count; i++)
		assert(id_uuid_valid(options->applications[i].guid));
	return 0;
}
