/* Invariant: what was last seen of the lease stands in the agent, for all threads. */
#include "token/handler_lease.h"

#include <string.h>

#include "pkcs11/identity.h"
#include "pkcs11/lease.h"

/* Notes a lease that was looked at, or that it turned out to be another's. */
static bool
note_lease(struct agent *agent, const struct lease *lease, bool good, const struct err *err)
{
	if (good)
		atomic_store(&agent->lease, (int)lease->state);
	else if (err->code == ERR_TOKEN_LEASED)
		atomic_store(&agent->lease, LEASE_OTHER);
	return good;
}

/* Threat D12: an identity on a token that is nobody's was made by a catalog that is not this one. */
static bool
check_nobodys(struct agent *agent, struct session *session, struct err *err)
{
	struct lease lease;
	bool exists;
	if (!lease_read(session, agent->instance, &lease, err) ||
		!identity_exists(session, &exists, err))
		return false;
	if (lease.state == LEASE_NONE && exists)
		return err_set(err, ERR_TOKEN_LEASED,
			"The token has an identity that another catalog made.");
	return true;
}

/* Whose the token is comes first: whoever is killed after it finds a token of his own, to enrol again. */
bool
handler_enroll(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	bool take_over = request->enroll_request.take_over != 0;
	struct lease lease;
	size_t len;
	if (!take_over && !check_nobodys(agent, session, err))
		return false;
	bool taken = lease_take(session, agent->instance, take_over, &lease, err);
	if (!note_lease(agent, &lease, taken, err) ||
		!identity_enroll(session, reply->octets, &len, err))
		return false;
	reply->answer.enroll_answer = (struct wire_enroll_answer){
		.identity = {reply->octets, len},
		.lease = (uint8_t)lease.state,
		.counter = lease.counter,
	};
	memcpy(reply->answer.enroll_answer.former, lease.former, sizeof(lease.former));
	return true;
}

bool
handler_count(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	struct lease lease;
	bool raised =
		lease_raise(session, agent->instance, request->count_request.counter, &lease, err);
	if (!note_lease(agent, &lease, raised, err))
		return false;
	reply->answer.count_answer.counter = lease.counter;
	return true;
}

/* Whoever took the token meanwhile has it (threat D12). */
bool
handler_lease_check(struct agent *agent, struct session *session, struct err *err)
{
	struct lease lease;
	if (atomic_load(&agent->lease) != LEASE_OURS)
		return true; /* nothing to lose */
	if (!lease_read(session, agent->instance, &lease, err))
		return false;
	if (lease.state != LEASE_OTHER)
		return true; /* one that is gone is made anew by the next count or login */
	(void)err_set(err, ERR_TOKEN_LEASED, NULL);
	return note_lease(agent, &lease, false, err);
}

bool
handler_lease_is_other(struct agent *agent)
{
	return atomic_load(&agent->lease) == LEASE_OTHER;
}
