/*
 * sweep: kills a process at the n-th system call that it makes while a command runs.
 *
 *   sweep PID every|effects N COMMAND [ARGUMENT...]
 *
 * PID is traced with all its threads from when each has come to rest in a system call; then COMMAND, a client, runs, and the calls of
 * the process are counted as they are entered: all of them, or only those that can leave something behind ("effects": what is
 * between two of them changes nothing that outlives the process). At the N-th the process is killed before the kernel does that call.
 * N 0 kills nothing and counts. When COMMAND has ended one line says what happened: "killed N CALL", or "whole COUNT" when
 * fewer calls were made than N. Status: 0, or 1 for sweep's own failures.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "base/attr.h"

#define THREADS_MAX 64
#define REST_S      5 /* for a process that is at rest when it is traced */
#define SYSCALL_BIT 0x80

struct thread {
	pid_t tid;
	bool rests; /* was seen to enter a call since it is traced */
};

struct sweep {
	pid_t pid;
	bool effects_only;
	unsigned long wanted, count;
	struct thread threads[THREADS_MAX];
	size_t thread_count;
	pid_t client; /* 0: not started yet */
	bool killed;
	uint64_t call; /* at which it was killed */
};

static const struct {
	uint64_t number;
	const char *name;
} effects[] = {
	{SYS_openat,    "openat"   }, /* where it makes or empties a file */
	{SYS_write,     "write"    },
	{SYS_pwrite64,  "pwrite64" },
	{SYS_writev,    "writev"   },
	{SYS_sendto,    "sendto"   },
	{SYS_sendmsg,   "sendmsg"  },
	{SYS_fsync,     "fsync"    },
	{SYS_fdatasync, "fdatasync"},
	{SYS_ftruncate, "ftruncate"},
	{SYS_fallocate, "fallocate"},
	{SYS_unlinkat,  "unlinkat" },
	{SYS_renameat2, "renameat2"},
	{SYS_mkdirat,   "mkdirat"  },
#ifdef SYS_unlink
	{SYS_unlink,    "unlink"   },
	{SYS_rename,    "rename"   },
	{SYS_mkdir,     "mkdir"    },
#endif
};

_Noreturn static void
trouble(const char *what)
{
	(void)fprintf(stderr, "sweep: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *
effect_name(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(effects); i++)
		if (effects[i].number == number)
			return effects[i].name;
	return NULL;
}

static bool
has_effect(const struct ptrace_syscall_info *info)
{
	if (info->entry.nr == SYS_openat)
		return (info->entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
	return effect_name(info->entry.nr) != NULL;
}

static struct thread *
thread_find(struct sweep *sweep, pid_t tid)
{
	for (size_t i = 0; i < sweep->thread_count; i++)
		if (sweep->threads[i].tid == tid)
			return &sweep->threads[i];
	return NULL;
}

static void
thread_add(struct sweep *sweep, pid_t tid, bool rests)
{
	if (sweep->thread_count == THREADS_MAX) {
		errno = E2BIG;
		trouble("threads");
	}
	sweep->threads[sweep->thread_count++] = (struct thread){tid, rests};
}

static void
trace_all(struct sweep *sweep)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)sweep->pid);
	DIR *tasks = opendir(path);
	if (tasks == NULL)
		trouble(path);
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
		pid_t tid = (pid_t)strtoul(entry->d_name, NULL, 10);
		if (tid == 0)
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE) !=
				0 ||
			ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
			trouble("trace");
		thread_add(sweep, tid, false);
	}
	(void)closedir(tasks);
}

static void
start_client(struct sweep *sweep, char **command)
{
	sweep->count = 0;
	sweep->client = fork();
	if (sweep->client < 0)
		trouble("fork");
	if (sweep->client == 0) {
		(void)execvp(command[0], command);
		trouble(command[0]);
	}
}

static void
entered(struct sweep *sweep, pid_t tid)
{
	struct ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	struct thread *thread = thread_find(sweep, tid);
	if (thread != NULL)
		thread->rests = true;
	if (sweep->killed || (sweep->effects_only && !has_effect(&info)))
		return;
	if (++sweep->count != sweep->wanted || sweep->client == 0)
		return;
	sweep->call = info.entry.nr;
	sweep->killed = true;
	if (kill(sweep->pid, SIGKILL) != 0)
		trouble("kill");
}

/* One report of a traced thread; it goes on to its next call. */
static void
follow(struct sweep *sweep, pid_t tid, int status)
{
	if (!WIFSTOPPED(status))
		return; /* ended */
	int delivered = 0, stop = WSTOPSIG(status);
	if (thread_find(sweep, tid) == NULL)
		thread_add(sweep, tid, true); /* a new thread: what it does counts from here */
	if (stop == (SIGTRAP | SYSCALL_BIT))
		entered(sweep, tid);
	else if (status >> 16 == 0)
		delivered = stop; /* a signal of its own */
	if (ptrace(PTRACE_SYSCALL, tid, NULL, delivered) != 0 && errno != ESRCH)
		trouble("continue");
}

static bool
at_rest(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->thread_count; i++)
		if (!sweep->threads[i].rests)
			return false;
	return true;
}

static void
run(struct sweep *sweep, char **command)
{
	for (;;) {
		if (sweep->client == 0 && at_rest(sweep)) {
			(void)alarm(0);
			start_client(sweep, command);
		}
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			trouble("wait");
		if (pid == sweep->client && !WIFSTOPPED(status))
			return;
		follow(sweep, pid, status);
	}
}

int
main(int argc, char **argv)
{
	static struct sweep sweep;
	bool effects_only = argc > 2 && strcmp(argv[2], "effects") == 0;
	if (argc < 5 || (!effects_only && strcmp(argv[2], "every") != 0)) {
		(void)fprintf(stderr, "usage: sweep PID every|effects N COMMAND [ARGUMENT...]\n");
		return 1;
	}
	sweep.pid = (pid_t)strtoul(argv[1], NULL, 10);
	sweep.effects_only = effects_only;
	sweep.wanted = strtoul(argv[3], NULL, 10);
	trace_all(&sweep);
	(void)alarm(REST_S);
	run(&sweep, argv + 4);
	const char *name = effect_name(sweep.call);
	if (!sweep.killed)
		(void)printf("whole %lu\n", sweep.count);
	else if (name != NULL)
		(void)printf("killed %lu %s\n", sweep.wanted, name);
	else
		(void)printf(
			"killed %lu call-%llu\n", sweep.wanted, (unsigned long long)sweep.call);
	return 0; /* what is still traced goes on untraced */
}
