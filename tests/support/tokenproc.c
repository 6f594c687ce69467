#include "support/tokenproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_FD 3
#define ENV_MAX    16

static void
exec_worker(int channel, char *const env[])
{
	const char *program = getenv("CUSTODY_TOKEN");
	if (program == NULL)
		program = "src/token/custody-token"; /* by hand, from the build folder */
	const char *const argv[] = {"custody-token", "test", NULL};
	if (channel == CHANNEL_FD ? fcntl(channel, F_SETFD, 0) == 0
				  : dup2(channel, CHANNEL_FD) >= 0)
		(void)execve(program, (char *const *)(uintptr_t)argv, env);
	_exit(127);
}

void
tokenproc_start_env(struct tokenproc *proc, const char *const more[])
{
	int ends[2];
	char conf[256];
	const char *env[ENV_MAX + 1] = {conf};
	size_t count = 1;
	(void)snprintf(conf, sizeof(conf), "SOFTHSM2_CONF=%s", getenv("SOFTHSM2_CONF"));
	for (; more != NULL && more[count - 1] != NULL; count++) {
		assert_true(count < ENV_MAX);
		env[count] = more[count - 1];
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*proc = (struct tokenproc){.fd = ends[0], .next_id = 1};
	buf_init(&proc->in, WIRE_MAX);
	proc->pid = fork();
	assert_true(proc->pid >= 0);
	if (proc->pid == 0)
		exec_worker(ends[1], (char *const *)(uintptr_t)env);
	(void)close(ends[1]);
}

void
tokenproc_start(struct tokenproc *proc)
{
	tokenproc_start_env(proc, NULL);
}

struct wire_start_request
tokenproc_request(const struct softhsm *softhsm, const char *uri)
{
	static const uint8_t salt[16] = "salt of the test";
	static char source[128];
	(void)snprintf(source, sizeof(source), "file:%s", softhsm->pin_file);
	return (struct wire_start_request){
		.version = wire_version(),
		.name = "test",
		.module = softhsm_module(),
		.uri = uri,
		.pin_source = source,
		.sessions = 2,
		.pin_salt = {salt, sizeof(salt)},
	};
}

uint64_t
tokenproc_send(struct tokenproc *proc, enum wire_type type, const void *request, int attach)
{
	struct err err;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, WIRE_MAX);
	uint64_t id = proc->next_id++;
	assert_true(wire_encode_request(&out, type, id, request));
	assert_int_equal(wire_send(proc->fd, buf_bytes(&out), attach, &err), WIRE_IO_DONE);
	return id;
}

bool
tokenproc_receive(struct tokenproc *proc, struct wire_message *ret_message)
{
	struct err err;
	for (;;) {
		int attached = -1;
		enum wire_io io = wire_recv(proc->fd, &proc->in, &attached, &err);
		if (io == WIRE_IO_CLOSED)
			return false;
		assert_int_equal(io, WIRE_IO_DONE);
		assert_int_equal(attached, -1);
		assert_true(wire_decode(buf_bytes(&proc->in), ret_message, &err));
		if (ret_message->type != WIRE_PROGRESS)
			return true;
		struct wire_progress_request progress;
		assert_true(wire_decode_request(ret_message, &progress, &err));
		size_t used = strlen(proc->steps);
		(void)snprintf(
			proc->steps + used, sizeof(proc->steps) - used, "|%s", progress.step);
	}
}

bool
tokenproc_ask(struct tokenproc *proc, enum wire_type type, const void *request, void *ret_answer,
	struct err *err)
{
	struct wire_message message;
	uint64_t id = tokenproc_send(proc, type, request, -1);
	if (!tokenproc_receive(proc, &message))
		return err_set(err, ERR_UNAVAILABLE, "the worker closed its channel");
	assert_int_equal(message.id, id);
	assert_int_equal(message.type, type);
	return wire_decode_answer(&message, ret_answer, &proc->detail, err);
}

void
tokenproc_ready(struct tokenproc *proc, const struct softhsm *softhsm, const char *uri)
{
	struct wire_start_request request = tokenproc_request(softhsm, uri);
	struct wire_start_answer started;
	struct wire_enroll_answer enrolled;
	struct wire_enroll_request enroll = {0};
	struct err err = {0};
	tokenproc_start(proc);
	if (!tokenproc_ask(proc, WIRE_START, &request, &started, &err) ||
		!tokenproc_ask(proc, WIRE_ENROLL, &enroll, &enrolled, &err))
		fail_msg("%s (%s)", err.message, err.origin);
}

int
tokenproc_hang_up(struct tokenproc *proc)
{
	int status = -1;
	(void)close(proc->fd);
	assert_int_equal(waitpid(proc->pid, &status, 0), proc->pid);
	buf_clear(&proc->in);
	return status;
}

int
tokenproc_stop(struct tokenproc *proc)
{
	struct wire_empty empty;
	struct wire_message message;
	(void)tokenproc_send(proc, WIRE_STOP, &empty, -1);
	assert_false(tokenproc_receive(proc, &message));
	return tokenproc_hang_up(proc);
}
