/*
 * custody-token: the process that holds one token's module and login. Started by custodyd with its end of a
 * SOCK_SEQPACKET pair as descriptor 3, a log pipe as 1 and 2, and only the environment that the configuration allows.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "token/agent.h"

#define CHANNEL_FD  3
#define SECRET_HEAP (1 << 21) /* octets; the largest message of a secret in each of 16 threads */
#define LEAVE_S     2         /* for C_Finalize */

static void
leave(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static bool
is_channel(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* The module may hang when it is told to stop (threat B5); it is asked, not waited for. */
static void
stop_module(struct module *module)
{
	(void)signal(SIGALRM, leave);
	(void)alarm(LEAVE_S);
	if (module != NULL)
		module_stop(module);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("custody-token %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (!is_channel(CHANNEL_FD)) {
		(void)fprintf(
			stderr, "custody-token is started by custodyd; see custody-token(8).\n");
		return 64; /* EX_USAGE */
	}
	/* A PIN source's command is not to talk to custodyd in our place, nor to hold the channel open. */
	(void)fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	secret_process_harden();
	(void)umask(0077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!secret_heap_init(SECRET_HEAP))
		log_warning("worker.memory", LOG_TEXT("locked", "no"));
	static struct agent agent; /* threads that hang in the module may still look at it */
	agent_init(&agent, CHANNEL_FD);
	int status = agent_run(&agent);
	stop_module(agent.module);
	_exit(status); /* no destructors: threads may hang in the module */
}
