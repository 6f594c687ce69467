/*
 * The channel is descriptor 3 of the child; 1 and 2 are the log pipe. Invariant: every request given to
 * worker_send() is in `running` until its answer, or until the owner takes it out after `gone`.
 */
#include "custodyd/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/workerlog.h"
#include "loop/child.h"

#define CHANNEL_FD      3
#define ENV_MAX         64
#define ENV_OURS        2 /* of them */
#define CREDENTIALS     "CREDENTIALS_DIRECTORY"
#define MESSAGES_A_TURN 64 /* then the loop looks at others */
#define OPENSSL_NO_CONFIG                                                                          \
	"OPENSSL_CONF=/dev/null" /* the host's would load engines into the module (threats B37) */

struct worker {
	struct loop *loop;
	struct worker_events events;
	const char *name;
	int fd;
	struct watch *watch;
	struct workerlog *log;
	struct child *child;
	struct timer *grace;
	struct buf received;
	struct request_list running;
	struct request
		*unsent; /* in `running`: the first whose message the socket had no room for */
	int64_t started_at;
	bool alive;
	bool killed;
	bool reaped;
	struct err why;
};

bool
worker_alive(const struct worker *worker)
{
	return worker->alive && !worker->killed;
}

pid_t
worker_pid(const struct worker *worker)
{
	return child_pid(worker->child);
}

int64_t
worker_started_at(const struct worker *worker)
{
	return worker->started_at;
}

struct request_list *
worker_running(struct worker *worker)
{
	return &worker->running;
}

/* From the loop: reports the end of use, once. */
static void
report_gone(void *ctx)
{
	struct worker *worker = ctx;
	worker->unsent = NULL;
	watch_set(worker->watch, WATCH_NONE);
	worker->alive = false;
	worker->events.gone(worker->events.ctx, worker, &worker->why);
}

void
worker_kill(struct worker *worker, const struct err *why)
{
	if (!worker_alive(worker))
		return;
	worker->killed = true;
	worker->why = *why;
	child_kill(worker->child, SIGKILL);
	loop_defer(worker->loop, "worker.gone", report_gone, worker);
}

static void
kill_for(struct worker *worker, enum err_code code, const char *message)
{
	struct err why = {0};
	(void)err_set(&why, code, "%s", message);
	worker_kill(worker, &why);
}

/* Sends what waits, in order, as far as the socket takes it. */
static void
flush(struct worker *worker)
{
	struct err err = {0};
	while (worker->unsent != NULL) {
		struct request *request = worker->unsent;
		enum wire_io io =
			wire_send(worker->fd, buf_bytes(&request->message), request->attach, &err);
		if (io == WIRE_IO_AGAIN) {
			watch_set(worker->watch, WATCH_READ | WATCH_WRITE);
			return;
		}
		if (io != WIRE_IO_DONE) {
			kill_for(worker, ERR_UNAVAILABLE, "The token's worker closed its channel.");
			return;
		}
		worker->unsent = request->next;
		buf_clear(&request->message);
		if (request->attach >= 0)
			(void)close(request->attach);
		request->attach = -1;
	}
	watch_set(worker->watch, WATCH_READ);
}

void
worker_send(struct worker *worker, struct request *take_request)
{
	request_list_push(&worker->running, take_request);
	take_request->sent_us = clock_monotonic_us();
	take_request->crowd = worker->running.count;
	assert(worker->alive);
	if (worker->killed || worker->unsent != NULL)
		return;
	worker->unsent = take_request;
	flush(worker);
}

static struct request *
find_running(struct worker *worker, uint64_t id)
{
	struct request *request = worker->running.first;
	while (request != NULL && request->id != id)
		request = request->next;
	return request;
}

static void
dispatch(struct worker *worker, const struct wire_message *message)
{
	if (message->type == WIRE_PROGRESS && message->flags == 0) {
		worker->events.told(worker->events.ctx, worker, message);
		return;
	}
	struct request *request = find_running(worker, message->id);
	bool answers = request != NULL && request->sent_us != 0 && request->type == message->type &&
		       (message->flags & WIRE_FLAG_ANSWER) != 0;
	if (!answers) {
		kill_for(worker, ERR_INTERNAL, "The token's worker answered what nobody asked.");
		return;
	}
	if (request == worker->unsent)
		worker->unsent = request->next;
	request_list_remove(&worker->running, request);
	worker->events.answer(worker->events.ctx, worker, request, message);
}

/* One message; false: no more for now. */
static bool
receive(struct worker *worker)
{
	struct err err = {0};
	int attached = -1;
	enum wire_io io = wire_recv(worker->fd, &worker->received, &attached, &err);
	if (io == WIRE_IO_AGAIN)
		return false;
	if (attached >= 0)
		(void)close(attached); /* a worker has nothing to pass to us */
	struct wire_message message;
	if (io == WIRE_IO_CLOSED)
		kill_for(worker, ERR_UNAVAILABLE, "The token's worker ended.");
	else if (io == WIRE_IO_FAILED || attached >= 0 ||
		 !wire_decode(buf_bytes(&worker->received), &message, &err))
		kill_for(worker, ERR_INTERNAL, "The token's worker sent what is no message.");
	else
		dispatch(worker, &message);
	buf_reset(&worker->received); /* wiped: it may have been a secret */
	return worker_alive(worker);
}

static void
channel_ready(unsigned events, void *ctx)
{
	struct worker *worker = ctx;
	if ((events & WATCH_WRITE) != 0 && worker_alive(worker))
		flush(worker);
	if ((events & WATCH_READ) == 0 || !worker_alive(worker))
		return;
	for (int i = 0; i < MESSAGES_A_TURN && receive(worker); i++)
		;
}

static void
child_ended(struct child *child, int wait_status, void *ctx)
{
	(void)child;
	struct worker *worker = ctx;
	bool signalled = WIFSIGNALED(wait_status);
	log_info("worker.ended", LOG_TEXT("token", worker->name),
		LOG_INT("pid", worker_pid(worker)),
		LOG_TEXT("signal", signalled ? strsignal(WTERMSIG(wait_status)) : NULL),
		LOG_INT("status", signalled ? -1 : WEXITSTATUS(wait_status)));
	/* Answers sent before the end are still in the socket: they count. */
	while (worker_alive(worker) && receive(worker))
		;
	worker->reaped = true;
	if (worker->alive) {
		loop_defer_cancel(worker->loop, worker);
		if (!worker->killed)
			(void)err_set(&worker->why, ERR_UNAVAILABLE, "The token's worker ended.");
		report_gone(worker);
	}
	worker->events.reaped(worker->events.ctx, worker);
}

static void
grace_over(void *ctx)
{
	kill_for(ctx, ERR_UNAVAILABLE, "The token's worker did not leave in time.");
}

void
worker_stop(struct worker *worker, int64_t grace_ms)
{
	if (!worker_alive(worker) || timer_running(worker->grace))
		return;
	struct wire_empty empty = {};
	CLEAN(buf)
	struct buf message;
	struct err err = {0};
	buf_init(&message, WIRE_MAX);
	if (!wire_encode_request(&message, WIRE_STOP, 0, &empty) ||
		wire_send(worker->fd, buf_bytes(&message), -1, &err) != WIRE_IO_DONE) {
		kill_for(worker, ERR_UNAVAILABLE, "The token's worker takes no message.");
		return;
	}
	timer_start(worker->grace, grace_ms);
}

/* The value of an allow-listed word as "NAME=value", heap; NULL if our environment has none. */
static char *
env_entry(const char *word, size_t len)
{
	char *text = strndup(word, len);
	if (text == NULL)
		abort();
	if (strchr(text, '=') != NULL)
		return text;
	const char *value = getenv(text);
	char *entry = NULL;
	if (value != NULL && asprintf(&entry, "%s=%s", text, value) < 0)
		abort();
	free(text);
	return entry;
}

static void
free_env(char **env)
{
	for (size_t i = 0; env[i] != NULL; i++)
		free(env[i]);
}

static bool
sets(const char *entry, const char *name)
{
	size_t len = strlen(name);
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Fills env[ENV_MAX + 1], NULL at its end. Words for which there is no room are left out. */
static void
make_env(const struct worker_spec *spec, char **env)
{
	const char *words = spec->env != NULL ? spec->env : "";
	size_t count = 0;
	bool has_openssl = false;
	while (*words != '\0' && count < ENV_MAX - ENV_OURS) {
		size_t len = strcspn(words, " \t");
		char *entry = len > 0 ? env_entry(words, len) : NULL;
		if (entry != NULL)
			env[count++] = entry;
		has_openssl = has_openssl || (entry != NULL && sets(entry, "OPENSSL_CONF"));
		words += len + (words[len] != '\0' ? 1 : 0);
	}
	if (!has_openssl)
		env[count++] = env_entry(OPENSSL_NO_CONFIG, strlen(OPENSSL_NO_CONFIG));
	if (spec->credentials)
		env[count] = env_entry(CREDENTIALS, strlen(CREDENTIALS));
	count += spec->credentials && env[count] != NULL ? 1 : 0;
	env[count] = NULL;
}

static bool
spawn(struct worker *worker, const struct worker_spec *spec, int channel, int output,
	struct err *err)
{
	char *env[ENV_MAX + 1];
	make_env(spec, env);
	const char *const argv[] = {"custody-token", spec->name, NULL};
	const struct child_fd fds[] = {
		{1,          output },
                {2,          output },
                {CHANNEL_FD, channel}
        };
	struct child_spec child = {
		.path = spec->path,
		.argv = argv,
		.envp = (const char *const *)env,
		.fds = fds,
		.fd_count = ARRAY_LEN(fds),
		.parent_death_signal = SIGKILL,
	};
	worker->child = child_start(worker->loop, &child, child_ended, worker, err);
	free_env(env);
	return worker->child != NULL;
}

static bool
open_and_spawn(struct worker *worker, const struct worker_spec *spec, struct err *err)
{
	int ends[2];
	int output;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(err, ERR_UNAVAILABLE, errno, "socketpair");
	worker->fd = ends[0];
	(void)fcntl(worker->fd, F_SETFL,
		O_NONBLOCK); /* our end only: the worker's threads block on theirs */
	worker->log = workerlog_new(worker->loop, spec->name, &output, err);
	bool ok = worker->log != NULL && spawn(worker, spec, ends[1], output, err);
	if (worker->log != NULL)
		(void)close(output);
	(void)close(ends[1]);
	return ok;
}

struct worker *
worker_new(struct loop *loop, const struct worker_spec *spec, const struct worker_events *events,
	struct err *err)
{
	CLEAN(worker)
	struct worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL)
		abort();
	worker->loop = loop;
	worker->events = *events;
	worker->name = spec->name;
	worker->fd = -1;
	buf_init(&worker->received, WIRE_MAX);
	worker->grace = timer_new(loop, "worker.grace", grace_over, worker);
	if (!open_and_spawn(worker, spec, err))
		return NULL;
	worker->watch = watch_new(loop, "worker", worker->fd, WATCH_READ, channel_ready, worker);
	worker->started_at = clock_wall_s();
	worker->alive = true;
	struct worker *made = worker;
	worker = NULL;
	return made;
}

void
worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	loop_defer_cancel(worker->loop, worker);
	timer_free(worker->grace);
	child_free(worker->child);
	watch_free(worker->watch);
	workerlog_free(worker->log);
	request_list_clear(&worker->running);
	buf_clear(&worker->received);
	if (worker->fd >= 0)
		(void)close(worker->fd);
	free(worker);
}
