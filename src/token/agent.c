/* Invariant: each request that was decoded gets exactly one answer, but stop, which is answered by the end. */
#include "agent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "pkcs11/identity.h"
#include "token/handler.h"
#include "token/startup.h"

#define GRACE_S 2 /* for requests in flight, after stop or the end of the channel (threat B5) */

enum status {
	STATUS_GOOD,
	STATUS_LOST,
	STATUS_NOT_READY,
};

/* What the threads tell the first one, which waits. */
struct crew {
	struct agent *agent;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned running;
	bool ending; /* somebody left */
	bool lost;
};

struct member {
	struct crew *crew;
	struct session *session;
};

void
agent_init(struct agent *agent, int channel)
{
	*agent = (struct agent){.channel = channel, .mutation = PTHREAD_MUTEX_INITIALIZER};
	for (enum wire_alg alg = WIRE_ALG_NONE + 1; alg < WIRE_ALG_COUNT; alg++) {
		agent->mechs[alg] = mech_find(wire_alg_name(alg));
		assert(agent->mechs[alg] != MECH_NONE);
	}
}

void
agent_send(struct agent *agent, const struct buf *datagram)
{
	struct err err;
	if (wire_send(agent->channel, buf_bytes(datagram), -1, &err) == WIRE_IO_FAILED)
		log_err(LOG_LEVEL_ERROR, "worker.send", &err, LOG_TEXT("fd", "channel"));
}

static void
answer_error(struct agent *agent, const struct wire_message *message, const struct err *error,
	struct bytes detail, struct buf *out)
{
	buf_reset(out);
	wire_encode_error(out, message->type, message->id, error, detail);
	agent_send(agent, out);
}

static void
answer(struct agent *agent, const struct wire_message *message, const void *record, struct buf *out)
{
	buf_reset(out);
	struct err err;
	if (wire_encode_answer(out, message->type, message->id, record)) {
		agent_send(agent, out);
		return;
	}
	(void)err_set(&err, ERR_TOO_LARGE, NULL);
	buf_clear(out);
	answer_error(agent, message, &err, (struct bytes){NULL, 0}, out);
}

/* --- one thread, one session --- */

struct desk {
	struct buf in;
	struct buf out;
	struct handler_reply reply;
};

/* false: the channel ended, or stop. */
static bool
receive(struct agent *agent, struct buf *in, struct wire_message *message, int *ret_fd)
{
	struct err err;
	enum wire_io io = wire_recv(agent->channel, in, ret_fd, &err);
	if (io != WIRE_IO_DONE) {
		if (io == WIRE_IO_FAILED)
			log_err(LOG_LEVEL_ERROR, "worker.receive", &err, LOG_TEXT("fd", "channel"));
		return false;
	}
	if (wire_decode(buf_bytes(in), message, &err))
		return true;
	if (*ret_fd >= 0)
		(void)close(*ret_fd);
	log_err(LOG_LEVEL_ERROR, "worker.receive", &err, LOG_TEXT("fd", "channel"));
	return false;
}

static void
serve_one(struct agent *agent, struct session *session, const struct wire_message *message,
	struct desk *desk)
{
	union handler_record request;
	struct err err;
	if (wire_decode_request(message, &request, &err) &&
		handler_serve(agent, session, message->type, &request, &desk->reply, &err))
		answer(agent, message, &desk->reply.answer, &desk->out);
	else
		answer_error(agent, message, &err, (struct bytes){NULL, 0}, &desk->out);
	/* what was secret in them is wiped before the thread waits again */
	handler_reply_clear(&desk->reply);
	buf_reset(&desk->out);
	buf_reset(&desk->in);
}

static void
serve(struct agent *agent, struct session *session)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	if (desk == NULL)
		abort();
	buf_init(&desk->in, WIRE_MAX);
	buf_init(&desk->out, WIRE_MAX);
	handler_reply_init(&desk->reply);
	struct wire_message message;
	int fd = -1;
	while (!session_lost(session) && receive(agent, &desk->in, &message, &fd) &&
		message.type != WIRE_STOP) {
		if (fd >= 0)
			(void)close(fd); /* only login carries one, and that time is over */
		serve_one(agent, session, &message, desk);
	}
	buf_clear(&desk->in);
	buf_clear(&desk->out);
	free(desk);
}

static void *
member_run(void *data)
{
	struct member *member = data;
	struct crew *crew = member->crew;
	serve(crew->agent, member->session);
	/* The others finish what they have and see the end of the channel. */
	(void)shutdown(crew->agent->channel, SHUT_RD);
	(void)pthread_mutex_lock(&crew->mutex);
	crew->running--;
	crew->ending = true;
	crew->lost = crew->lost || session_lost(member->session);
	(void)pthread_cond_signal(&crew->changed);
	(void)pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

/* --- the first thread --- */

/* Until somebody leaves, then until all have or the grace is over. Threads that hang are left behind. */
static bool
wait_for_crew(struct crew *crew)
{
	(void)pthread_mutex_lock(&crew->mutex);
	while (!crew->ending)
		(void)pthread_cond_wait(&crew->changed, &crew->mutex);
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GRACE_S;
	int waited = 0;
	while (crew->running > 0 && waited == 0)
		waited = pthread_cond_timedwait(&crew->changed, &crew->mutex, &until);
	bool lost = crew->lost;
	(void)pthread_mutex_unlock(&crew->mutex);
	return lost;
}

static enum status
run_crew(struct agent *agent)
{
	static struct member
		members[AGENT_SESSIONS_MAX]; /* outlive this function if a thread hangs */
	static struct crew crew = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	crew.agent = agent;
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&crew.changed, &monotonic);
	for (unsigned i = 0; i < agent->session_count; i++) {
		members[i] = (struct member){&crew, agent->sessions[i]};
		pthread_t thread;
		(void)pthread_mutex_lock(&crew.mutex);
		crew.running++;
		(void)pthread_mutex_unlock(&crew.mutex);
		if (pthread_create(&thread, NULL, member_run, &members[i]) != 0)
			abort(); /* as out of memory */
		(void)pthread_detach(thread);
	}
	return wait_for_crew(&crew) ? STATUS_LOST : STATUS_GOOD;
}

/* Serves one message before the token is ready. */
static bool
serve_startup(struct startup *startup, const struct wire_message *message, int fd,
	struct wire_start_answer *ret_answer, struct err *err)
{
	struct wire_start_request request;
	bool started = startup->agent->module != NULL;
	startup->id = message->id;
	if (message->type == WIRE_LOGIN && started && fd >= 0)
		return startup_login(startup, fd, ret_answer, err);
	if (fd >= 0)
		(void)close(fd);
	if (message->type != WIRE_START || started)
		return err_set(err, ERR_INTERNAL, "The worker does not serve '%s' now.",
			wire_name(message->type));
	return wire_decode_request(message, &request, err) &&
	       startup_start(startup, &request, ret_answer, err);
}

/* A person may try again to log in, and what is not served yet does no harm; all else ends the process. */
static bool
may_go_on(const struct startup *startup, const struct wire_message *message, const struct err *err)
{
	struct session *session = startup->agent->sessions[0];
	if (message->type == WIRE_START)
		return false;
	if (message->type != WIRE_LOGIN || session == NULL)
		return true;
	return !session_lost(session) &&
	       (err->code == ERR_PIN_REFUSED || err->code == ERR_TIMEOUT ||
		       err_class(err->code) == ERR_CLASS_BAD);
}

/* true when the token is ready for its crew. */
static bool
get_ready(struct agent *agent, struct buf *in, struct buf *out)
{
	struct startup startup;
	startup_init(&startup, agent);
	struct wire_message message;
	int fd = -1;
	while (receive(agent, in, &message, &fd) && message.type != WIRE_STOP) {
		struct wire_start_answer started;
		struct err err;
		if (serve_startup(&startup, &message, fd, &started, &err)) {
			answer(agent, &message, &started, out);
			if (started.state != WIRE_STATE_LOGIN_NEEDED)
				return true;
			continue;
		}
		bool refused = err.code == ERR_PIN_REFUSED && startup.digest_known;
		struct bytes detail = {
			refused ? startup.digest : NULL, refused ? sizeof(startup.digest) : 0};
		answer_error(agent, &message, &err, detail, out);
		if (!may_go_on(&startup, &message, &err))
			return false;
	}
	return false;
}

int
agent_run(struct agent *agent)
{
	CLEAN(buf)
	struct buf in;
	CLEAN(buf)
	struct buf out;
	buf_init(&in, WIRE_MAX);
	buf_init(&out, WIRE_MAX);
	if (!get_ready(agent, &in, &out))
		return STATUS_NOT_READY;
	return (int)run_crew(agent);
}
