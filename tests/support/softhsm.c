#include "support/softhsm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"

const char *
softhsm_module(void)
{
	static const char *const places[] = {
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so",
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (access(places[i], R_OK) == 0)
			return places[i];
	}
	(void)fprintf(stderr, "no libsofthsm2.so\n");
	exit(77);
}

static void
run(const char *const argv[])
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* what a tool says on success is of no interest */
		if (freopen("/dev/null", "w", stdout) != NULL)
			(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: status %d", argv[0], status);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void
softhsm_open(struct softhsm *softhsm)
{
	char text[256];
	(void)snprintf(softhsm->dir, sizeof(softhsm->dir), "%s", "/tmp/custody-softhsm-XXXXXX");
	assert_non_null(mkdtemp(softhsm->dir));
	(void)snprintf(softhsm->conf, sizeof(softhsm->conf), "%s/softhsm2.conf", softhsm->dir);
	(void)snprintf(softhsm->pin_file, sizeof(softhsm->pin_file), "%s/pin", softhsm->dir);
	(void)snprintf(text, sizeof(text),
		"directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
		softhsm->dir);
	write_file(softhsm->conf, text);
	(void)snprintf(text, sizeof(text), "%s/tokens", softhsm->dir);
	assert_int_equal(mkdir(text, 0700), 0);
	softhsm_write_pin(softhsm, SOFTHSM_PIN "\n");
	assert_int_equal(setenv("SOFTHSM2_CONF", softhsm->conf, 1), 0);
}

void
softhsm_close(struct softhsm *softhsm)
{
	run((const char *const[]){"rm", "-rf", softhsm->dir, NULL});
}

void
softhsm_add_token(const struct softhsm *softhsm, const char *label)
{
	(void)softhsm; /* $SOFTHSM2_CONF says where */
	run((const char *const[]){"softhsm2-util", "--init-token", "--free", "--label", label,
		"--pin", SOFTHSM_PIN, "--so-pin", SOFTHSM_SO_PIN, NULL});
}

void
softhsm_lose_tokens(const struct softhsm *softhsm)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/tokens", softhsm->dir);
	run((const char *const[]){"rm", "-rf", path, NULL});
	assert_int_equal(mkdir(path, 0700), 0);
}

void
softhsm_save(const struct softhsm *softhsm, const char *name)
{
	char from[128], to[128];
	(void)snprintf(from, sizeof(from), "%s/tokens", softhsm->dir);
	(void)snprintf(to, sizeof(to), "%s/%s", softhsm->dir, name);
	run((const char *const[]){"cp", "-a", from, to, NULL});
}

void
softhsm_restore(const struct softhsm *softhsm, const char *name)
{
	char tokens[128], from[128];
	(void)snprintf(tokens, sizeof(tokens), "%s/tokens", softhsm->dir);
	(void)snprintf(from, sizeof(from), "%s/%s", softhsm->dir, name);
	run((const char *const[]){"rm", "-rf", tokens, NULL});
	run((const char *const[]){"cp", "-a", from, tokens, NULL});
}

void
softhsm_write_pin(const struct softhsm *softhsm, const char *text)
{
	write_file(softhsm->pin_file, text);
	assert_int_equal(chmod(softhsm->pin_file, 0600), 0);
}
