/*
 * The steps of a start, each told to custodyd before it begins, so that its status can say where a start hangs
 * (threat B4): read the PIN; give up privileges; load the module; start it; forbid other programs; find the token;
 * open a session; log in; try what the token can do; prove the identity; look whose the token is; open the other sessions.
 * Invariant: a PIN is tried once, and wiped as soon as it was tried, before the longer steps that follow.
 */
#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11/identity.h"
#include "pkcs11/probe.h"
#include "token/pinsource.h"
#include "token/sandbox.h"

#define TELL_MAX 400 /* octets of the answer to a person */

_Static_assert(MODULE_READ_ONLY == WIRE_TOKEN_READ_ONLY, "one numbering");
_Static_assert(MODULE_ONE_THREAD == WIRE_TOKEN_ONE_THREAD, "one numbering");
_Static_assert(MODULE_KEYPAD == WIRE_TOKEN_KEYPAD, "one numbering");
_Static_assert(MODULE_PIN_COUNT_LOW == WIRE_TOKEN_PIN_COUNT_LOW, "one numbering");
_Static_assert(MODULE_HARDWARE == WIRE_TOKEN_HARDWARE, "one numbering");
_Static_assert((int)LEASE_NONE == (int)WIRE_LEASE_NONE && (int)LEASE_OURS == (int)WIRE_LEASE_OURS &&
		       (int)LEASE_OTHER == (int)WIRE_LEASE_OTHER &&
		       (int)LEASE_UNSUPPORTED == (int)WIRE_LEASE_UNSUPPORTED,
	"one numbering");

void
startup_init(struct startup *startup, struct agent *agent)
{
	*startup = (struct startup){.agent = agent};
}

static void
tell(struct startup *startup, const char *step)
{
	CLEAN(buf)
	struct buf message;
	buf_init(&message, WIRE_MAX);
	struct wire_progress_request progress = {.step = step};
	if (wire_encode_request(&message, WIRE_PROGRESS, startup->id, &progress))
		agent_send(startup->agent, &message);
}

static bool
keep(struct bytes from, uint8_t *to, size_t size, size_t *ret_len, struct err *err)
{
	if (from.len > size)
		return err_set(err, ERR_INTERNAL, "A field of the start is too long.");
	if (from.len > 0)
		memcpy(to, from.data, from.len);
	*ret_len = from.len;
	return true;
}

static bool
keep_request(struct startup *startup, const struct wire_start_request *request, struct err *err)
{
	if (request->version != wire_version())
		return err_set(
			err, ERR_CONFIG, "custodyd and custody-token are of different builds.");
	startup->sessions = request->sessions;
	startup->one_thread = request->one_thread != 0;
	memcpy(startup->agent->instance, request->instance, sizeof(request->instance));
	size_t digest_len;
	if (!keep(request->identity, startup->identity, sizeof(startup->identity),
		    &startup->identity_len, err) ||
		!keep(request->pin_salt, startup->salt, sizeof(startup->salt), &startup->salt_len,
			err) ||
		!keep(request->refused_pin_digest, startup->digest, sizeof(startup->digest),
			&digest_len, err) ||
		!attr_set_parse(request->accept_reduced, &startup->accepted, err))
		return false;
	startup->digest_known = digest_len == sizeof(startup->digest);
	startup->agent->enrolled_expected = startup->identity_len > 0;
	return true;
}

static bool
open_token(struct startup *startup, const struct wire_start_request *request, struct err *err)
{
	struct agent *agent = startup->agent;
	tell(startup, "load module");
	agent->module = module_load(request->module, err);
	if (agent->module == NULL)
		return false;
	tell(startup, "start module");
	if (!module_start(agent->module, err) || !sandbox_forbid_programs(err))
		return false;
	tell(startup, "find token");
	if (!module_find_token(agent->module, request->uri, err))
		return false;
	tell(startup, "open session");
	agent->sessions[0] = session_open(agent->module, NULL, err);
	agent->session_count = agent->sessions[0] != NULL ? 1 : 0;
	return agent->sessions[0] != NULL;
}

#define OUTPUTS 2 /* standard output and error */

/* false: they are as they were. */
static bool
outputs_mute(int saved[static OUTPUTS], struct err *err)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return err_errno(err, ERR_INTERNAL, errno, "open");
	for (int i = 0; i < OUTPUTS; i++) {
		saved[i] = fcntl(STDOUT_FILENO + i, F_DUPFD_CLOEXEC, 0); /* -1: it is closed */
		(void)dup2(null, STDOUT_FILENO + i); /* cannot fail: both descriptors are good */
	}
	(void)close(null);
	return true;
}

static void
outputs_restore(const int saved[static OUTPUTS])
{
	(void)fflush(NULL); /* what the module wrote into buffers of the C library's streams */
	for (int i = 0; i < OUTPUTS; i++) {
		if (saved[i] < 0)
			continue;
		(void)dup2(saved[i], STDOUT_FILENO + i);
		(void)close(saved[i]);
	}
}

/* A module that tells what it is given would write the PIN into the log (threat B31): meanwhile nobody listens. */
static bool
log_in_unheard(struct session *session, const struct secret *pin, struct err *err)
{
	int saved[OUTPUTS] = {-1, -1};
	if (!outputs_mute(saved, err))
		return false;
	bool good = session_login(session, pin, err);
	outputs_restore(saved);
	return good;
}

/* One attempt for each content of the source, across restarts (threat B11). */
static bool
log_in(struct startup *startup, const struct secret *pin, struct err *err)
{
	uint8_t digest[PIN_DIGEST_LEN];
	struct bytes salt = {startup->salt, startup->salt_len};
	if (pin != NULL && startup->digest_known) {
		tell(startup, "compare PIN with the refused one");
		if (!pin_digest(pin, salt, digest, err))
			return false;
		if (secret_equal_bytes(digest, startup->digest, sizeof(digest)))
			return err_set(err, ERR_PIN_REFUSED, NULL);
	}
	tell(startup, "login");
	if (log_in_unheard(startup->agent->sessions[0], pin, err))
		return true;
	struct err digest_err;
	if (err->code == ERR_PIN_REFUSED && pin != NULL) {
		startup->digest_known = pin_digest(pin, salt, digest, &digest_err);
		if (startup->digest_known)
			memcpy(startup->digest, digest, sizeof(digest));
	}
	return false;
}

/* As many as the token gives, one at least (threat B15). */
static bool
open_sessions(struct startup *startup, struct err *err)
{
	struct agent *agent = startup->agent;
	bool one = startup->one_thread ||
		   (module_get_info(agent->module)->flags & MODULE_ONE_THREAD) != 0;
	unsigned wanted = one || startup->sessions < 1 ? 1 : startup->sessions;
	if (wanted > AGENT_SESSIONS_MAX)
		wanted = AGENT_SESSIONS_MAX;
	tell(startup, "open sessions");
	while (agent->session_count < wanted) {
		bool full;
		struct session *session = session_open(agent->module, &full, err);
		if (session == NULL)
			return full;
		agent->sessions[agent->session_count++] = session;
	}
	return true;
}

/*
 * An enrolled token that is nobody's is ours: its identity was proved, and ours is the catalog that knows it. One that
 * is ours is taken again, which removes what a kill left behind.
 */
static bool
look_whose(struct startup *startup, struct err *err)
{
	struct agent *agent = startup->agent;
	struct session *session = agent->sessions[0];
	tell(startup, "read lease");
	if (!lease_read(session, agent->instance, &startup->lease, err))
		return false;
	if (startup->lease.state != LEASE_OTHER && startup->identity_len > 0 &&
		!lease_take(session, agent->instance, false, &startup->lease, err))
		return false;
	atomic_store(&agent->lease, (int)startup->lease.state);
	return true;
}

static bool
prove_and_probe(struct startup *startup, struct err *err)
{
	struct session *session = startup->agent->sessions[0];
	tell(startup, "probe capabilities");
	if (!probe_run(session, startup->accepted, err))
		return false;
	if (startup->identity_len > 0) {
		tell(startup, "prove identity");
		struct bytes expected = {startup->identity, startup->identity_len};
		if (!identity_check(session, expected, err))
			return false;
	}
	return look_whose(startup, err) && open_sessions(startup, err);
}

static void
fill_answer(struct startup *startup, enum wire_state state, struct wire_start_answer *answer)
{
	const struct module_info *info = module_get_info(startup->agent->module);
	bool ready = state == WIRE_STATE_READY;
	*answer = (struct wire_start_answer){
		.state = (uint8_t)state,
		.label = info->label,
		.serial = info->serial,
		.manufacturer = info->manufacturer,
		.model = info->model,
		.firmware = info->firmware,
		.flags = info->flags &
			 (WIRE_TOKEN_READ_ONLY | WIRE_TOKEN_ONE_THREAD | WIRE_TOKEN_KEYPAD |
				 WIRE_TOKEN_PIN_COUNT_LOW | WIRE_TOKEN_HARDWARE),
		.sessions = (uint16_t)startup->agent->session_count,
		.reduced = startup->reduced,
		.lease = (uint8_t)startup->lease.state,
		.counter = startup->lease.counter,
	};
	memcpy(answer->owner, startup->lease.owner, sizeof(answer->owner));
	if (ready)
		answer->identity = (struct bytes){startup->identity, startup->identity_len};
	if (state != WIRE_STATE_LOGIN_NEEDED) {
		const struct probe *probe = probe_get(startup->agent->sessions[0]);
		attr_set_format(probe->reduced | probe->unknown, startup->reduced);
	}
}

/* From the login on. The PIN is gone when the probing begins, which takes seconds on some tokens. */
static bool
finish(struct startup *startup, struct secret *take_pin, struct wire_start_answer *answer,
	struct err *err)
{
	bool logged_in = log_in(startup, take_pin, err);
	secret_free(take_pin);
	if (!logged_in || !prove_and_probe(startup, err))
		return false;
	fill_answer(startup, startup->identity_len > 0 ? WIRE_STATE_READY : WIRE_STATE_NOT_ENROLLED,
		answer);
	return true;
}

bool
startup_start(struct startup *startup, const struct wire_start_request *request,
	struct wire_start_answer *ret_answer, struct err *err)
{
	CLEAN(secret)
	struct secret *pin = NULL;
	if (!keep_request(startup, request, err))
		return false;
	tell(startup, "read PIN");
	if (!pinsource_read(request->pin_source, &pin, err) ||
		!sandbox_drop_privileges(request->user, err) || !open_token(startup, request, err))
		return false;
	bool keypad = (module_get_info(startup->agent->module)->flags & MODULE_KEYPAD) != 0;
	if (pin == NULL || keypad) {
		fill_answer(startup, WIRE_STATE_LOGIN_NEEDED, ret_answer);
		return true;
	}
	struct secret *given = pin;
	pin = NULL;
	return finish(startup, given, ret_answer, err);
}

/* One line to the person at the other end; whoever left does not hear it. */
static void
tell_person(int fd, const struct err *err)
{
	char line[TELL_MAX];
	int len = err == NULL ? snprintf(line, sizeof(line), "ok\n")
			      : snprintf(line, sizeof(line), "error %s %s\n", err_name(err->code),
					err->message);
	if (len > 0)
		(void)send(fd, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1,
			MSG_NOSIGNAL);
}

static bool
login_by(struct startup *startup, int fd, struct wire_start_answer *answer, struct err *err)
{
	bool keypad = (module_get_info(startup->agent->module)->flags & MODULE_KEYPAD) != 0;
	tell(startup, keypad ? "wait for the token's keypad" : "wait for PIN");
	if (keypad)
		return finish(startup, NULL, answer, err);
	struct secret *pin = pinsource_read_line(fd, err);
	return pin != NULL && finish(startup, pin, answer, err);
}

bool
startup_login(
	struct startup *startup, int take_fd, struct wire_start_answer *ret_answer, struct err *err)
{
	bool good = login_by(startup, take_fd, ret_answer, err);
	tell_person(take_fd, good ? NULL : err);
	(void)close(take_fd);
	return good;
}
