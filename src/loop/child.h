/*
 * Child processes from a clean state: given arguments, environment and descriptors, nothing else. The
 * end is noticed by the loop through a pidfd; no SIGCHLD, so no global state and no pid reuse.
 *
 * The child has: only the mapped descriptors (0, 1 and 2 are /dev/null where not mapped), default
 * signal dispositions, an empty signal mask, umask 077, working directory /, the parent's process group.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "loop/loop.h"

#define CHILD_FDS_MAX 8

struct child;

struct child_fd {
	int theirs; /* number in the child, 0 to 63, no two alike */
	int ours;   /* stays open and the caller's in this process */
};

struct child_spec {
	const char *path;        /* of the program; no search */
	const char *const *argv; /* NULL-terminated */
	const char *const *envp; /* NULL-terminated; the whole environment */
	const struct child_fd *fds;
	size_t fd_count;         /* at most CHILD_FDS_MAX */
	int parent_death_signal; /* sent to the child when this process dies; 0: none */
};

/* `wait_status` as of waitpid(2): WIFEXITED, WEXITSTATUS, WIFSIGNALED… The child may be freed here. */
typedef void child_fn(struct child *child, int wait_status, void *ctx);

/*
 * Starts a program; returns after its exec succeeded or failed (a bounded wait of well under a
 * millisecond for a program on local disk). NULL: ERR_UNAVAILABLE with the failed call as origin.
 */
struct child *child_start(struct loop *loop, const struct child_spec *spec, child_fn *fn, void *ctx,
	struct err *err) MUST_USE;
pid_t child_pid(const struct child *child);
bool child_running(const struct child *child); /* its end was not yet reported */
/* Sends a signal through the pidfd; nothing happens when it has ended. */
void child_kill(struct child *child, int number);
/* A running child is killed (SIGKILL) and reaped without a callback. NULL is fine. */
void child_free(struct child *child);

DEFINE_CLEAN(child, struct child)
