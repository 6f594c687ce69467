#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "token/sandbox.h"

static void *
touch(void *data)
{
	*(int *)data = 1;
	return NULL;
}

/* Each check is one exit status, so that a failure says which. */
static int
in_the_sandbox(void)
{
	struct err err;
	int touched = 0;
	pthread_t thread;
	if (!sandbox_drop_privileges("", &err) || !sandbox_forbid_programs(&err))
		return 1;
	errno = 0;
	if (fork() != -1 || errno != EPERM)
		return 2;
	errno = 0;
	if (vfork() != -1 || errno != EPERM)
		return 3;
	errno = 0;
	(void)execl("/bin/true", "true", (char *)NULL);
	if (errno != EPERM)
		return 4;
	if (pthread_create(&thread, NULL, touch, &touched) != 0 ||
		pthread_join(thread, NULL) != 0 || touched != 1)
		return 5;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 6;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 7;
	return 0;
}

static void
A26_process_cannot_start_programs_but_threads(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(in_the_sandbox());
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
user_that_is_not_there_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	assert_false(sandbox_drop_privileges("no-such-user-here", &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A26_process_cannot_start_programs_but_threads),
		cmocka_unit_test(user_that_is_not_there_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
