/* Invariant: there is always one lease that can be read, and a counter is carried into every lease that follows. */
#include "lease.h"

#include <string.h>

#include "base/b64.h"
#include "ck.h"
#include "hsmkey.h"
#include "object.h"
#include "session_priv.h"

#define APPLICATION "custody" /* CKA_APPLICATION */
#define OBJECTS_MAX 16        /* of the label: one, and what a kill leaves beside it */
#define VALUE_MAX   256       /* octets that a later form may have */
#define VALUE_LEN   (sizeof(magic) + 2 * LEASE_OWNER_LEN + 16)
#define TRIES       2 /* some tokens fail to create now and then by nobody's fault (threat B36) */

static const uint8_t magic[8] = {'C', 'U', 'S', 'T', 'L', 'S', 'E', '1'};

/* What a search found, and what follows from it. */
struct found {
	unsigned long objects[OBJECTS_MAX];
	struct lease leases[OBJECTS_MAX]; /* term 0: not of a form that we know */
	size_t count;
};

bool
lease_is(const char *label)
{
	return strcmp(label, LEASE_LABEL) == 0;
}

/* ---- one lease ---- */

static uint8_t *
put_number(uint8_t *to, uint64_t number)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*to++ = (uint8_t)(number >> shift);
	return to;
}

static uint64_t
get_number(const uint8_t *from)
{
	uint64_t number = 0;
	for (size_t i = 0; i < sizeof(number); i++)
		number = number << 8 | from[i];
	return number;
}

static void
encode(const struct lease *lease, uint8_t value[static VALUE_LEN])
{
	memcpy(value, magic, sizeof(magic));
	memcpy(value + sizeof(magic), lease->owner, LEASE_OWNER_LEN);
	memcpy(value + sizeof(magic) + LEASE_OWNER_LEN, lease->former, LEASE_OWNER_LEN);
	uint8_t *numbers = value + sizeof(magic) + (size_t)2 * LEASE_OWNER_LEN;
	(void)put_number(put_number(numbers, lease->term), lease->counter);
}

/* Left at term 0 if it is not of our form. */
static void
decode(const uint8_t *value, size_t len, struct lease *lease)
{
	*lease = (struct lease){0};
	if (len != VALUE_LEN || memcmp(value, magic, sizeof(magic)) != 0)
		return;
	memcpy(lease->owner, value + sizeof(magic), LEASE_OWNER_LEN);
	memcpy(lease->former, value + sizeof(magic) + LEASE_OWNER_LEN, LEASE_OWNER_LEN);
	const uint8_t *numbers = value + sizeof(magic) + (size_t)2 * LEASE_OWNER_LEN;
	lease->term = get_number(numbers);
	lease->counter = get_number(numbers + 8);
}

/* false: *err is set. *ret_is: it is one, whether of a form that we know or not. */
static bool
read_object(struct session *session, unsigned long object, struct lease *lease, bool *ret_is,
	struct err *err)
{
	uint8_t label[HSMKEY_LABEL_MAX], value[VALUE_MAX];
	size_t label_len = 0, len = 0;
	if (object_read(session, object, CKA_LABEL, label, sizeof(label), &label_len, err) ==
			OBJECT_FAILED ||
		object_read(session, object, CKA_VALUE, value, sizeof(value), &len, err) ==
			OBJECT_FAILED)
		return false;
	*ret_is =
		label_len == sizeof(LEASE_LABEL) - 1 && memcmp(label, LEASE_LABEL, label_len) == 0;
	decode(value, len, lease);
	return true;
}

/* By class and application, of which there are few on a token, whatever else is there (threat B26). */
static bool
search(struct session *session, struct found *found, struct err *err)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	char application[] = APPLICATION;
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,      sizeof(class)          },
		{CKA_TOKEN,       &yes,        sizeof(yes)            },
		{CKA_APPLICATION, application, sizeof(application) - 1},
	};
	unsigned long objects[OBJECTS_MAX];
	size_t count;
	if (!object_find(
		    session, attributes, ARRAY_LEN(attributes), objects, OBJECTS_MAX, &count, err))
		return false;
	found->count = 0;
	for (size_t i = 0; i < count; i++) {
		bool is;
		if (!read_object(session, objects[i], &found->leases[found->count], &is, err))
			return false;
		found->objects[found->count] = objects[i];
		found->count += is ? 1 : 0;
	}
	return true;
}

/* ---- what several mean ---- */

static void
settle(const struct found *found, const uint8_t *owner, struct lease *lease)
{
	bool told = found->count < OBJECTS_MAX;
	*lease = (struct lease){.state = LEASE_NONE};
	for (size_t i = 0; i < found->count; i++) {
		const struct lease *one = &found->leases[i];
		uint64_t counter = one->counter > lease->counter ? one->counter : lease->counter;
		told = told && one->term > 0;
		if (one->term == lease->term &&
			memcmp(one->owner, lease->owner, LEASE_OWNER_LEN) != 0)
			told = false; /* two took it at the same time */
		if (one->term > lease->term)
			*lease = *one;
		lease->counter = counter;
	}
	if (!told)
		memset(lease->owner, 0, sizeof(lease->owner));
	if (found->count == 0)
		return;
	bool ours = told && memcmp(lease->owner, owner, LEASE_OWNER_LEN) == 0;
	lease->state = ours ? LEASE_OURS : LEASE_OTHER;
}

/* Not one that another took at the same time: that is for both to see. */
static bool
is_superseded(const struct lease *one, const struct lease *kept)
{
	return one->term < kept->term ||
	       (one->term == kept->term && one->counter < kept->counter &&
		       memcmp(one->owner, kept->owner, LEASE_OWNER_LEN) == 0);
}

/* What was before. One that will not go does no harm: the next change finds it again. */
static void
tidy(struct session *session, const struct found *found, const struct lease *kept)
{
	for (size_t i = 0; i < found->count; i++) {
		if (is_superseded(&found->leases[i], kept))
			(void)session->ck->C_DestroyObject(session->handle, found->objects[i]);
	}
}

static bool
refuse(const struct lease *lease, struct err *err)
{
	static const uint8_t nobody[LEASE_OWNER_LEN];
	char hex[2 * LEASE_OWNER_LEN + 1];
	if (memcmp(lease->owner, nobody, sizeof(nobody)) == 0)
		return err_set(err, ERR_TOKEN_LEASED,
			"The token is in use by another catalog, and its lease does not tell "
			"which.");
	hex_encode(lease->owner, sizeof(lease->owner), hex);
	return err_set(
		err, ERR_TOKEN_LEASED, "The token is in use by the catalog of instance %s.", hex);
}

/* ---- making one ---- */

static bool
is_unsupported(CK_RV rv)
{
	return rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_TEMPLATE_INCONSISTENT ||
	       rv == CKR_TEMPLATE_INCOMPLETE || rv == CKR_SESSION_READ_ONLY ||
	       rv == CKR_TOKEN_WRITE_PROTECTED;
}

/* Private: without the PIN it can be neither read nor made. Not modifiable: it is replaced. */
static CK_RV
create(struct session *session, const struct lease *lease)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	char label[] = LEASE_LABEL, application[] = APPLICATION;
	uint8_t value[VALUE_LEN];
	encode(lease, value);
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,      sizeof(class)          },
		{CKA_TOKEN,       &yes,        sizeof(yes)            },
		{CKA_PRIVATE,     &yes,        sizeof(yes)            },
		{CKA_MODIFIABLE,  &no,         sizeof(no)             },
		{CKA_LABEL,       label,       sizeof(label) - 1      },
		{CKA_APPLICATION, application, sizeof(application) - 1},
		{CKA_VALUE,       value,       sizeof(value)          },
	};
	CK_RV rv = CKR_OK;
	for (int i = 0; i < TRIES; i++) {
		CK_OBJECT_HANDLE object;
		rv = session->ck->C_CreateObject(
			session->handle, attributes, ARRAY_LEN(attributes), &object);
		if (rv == CKR_OK)
			break;
	}
	return rv;
}

/* Makes `next`, looks again whose the token is now, and removes what was before. */
static bool
supersede(struct session *session, const uint8_t *owner, const struct lease *next,
	struct lease *ret_lease, struct err *err)
{
	struct found found;
	CK_RV rv = create(session, next);
	if (rv != CKR_OK && next->term == 1 && is_unsupported(rv)) {
		*ret_lease = (struct lease){.state = LEASE_UNSUPPORTED};
		return true;
	}
	if (rv != CKR_OK)
		return session_fail(session, "C_CreateObject", rv, err);
	if (!search(session, &found, err))
		return false;
	struct lease now;
	tidy(session, &found, next);
	if (!search(session, &found, err))
		return false;
	settle(&found, owner, &now);
	if (now.state != LEASE_OURS)
		return refuse(&now, err);
	*ret_lease = now;
	return true;
}

struct lease_args {
	const uint8_t *owner;
	bool take_over;
	uint64_t counter;
	struct lease *lease;
};

static bool
read_lease(struct session *session, void *data, struct err *err)
{
	struct lease_args *args = data;
	struct found found;
	if (!search(session, &found, err))
		return false;
	settle(&found, args->owner, args->lease);
	return true;
}

static bool
take(struct session *session, void *data, struct err *err)
{
	struct lease_args *args = data;
	struct lease now;
	struct found found;
	if (!search(session, &found, err))
		return false;
	settle(&found, args->owner, &now);
	if (now.state == LEASE_OTHER && !args->take_over)
		return refuse(&now, err);
	if (now.state == LEASE_OURS) {
		tidy(session, &found, &now);
		*args->lease = now;
		return true;
	}
	struct lease next = {.term = now.term + 1, .counter = now.counter};
	memcpy(next.owner, args->owner, sizeof(next.owner));
	memcpy(next.former, now.owner, sizeof(next.former));
	return supersede(session, args->owner, &next, args->lease, err);
}

static bool
raise_counter(struct session *session, void *data, struct err *err)
{
	struct lease_args *args = data;
	struct lease next;
	struct found found;
	if (!search(session, &found, err))
		return false;
	settle(&found, args->owner, &next);
	if (next.state == LEASE_OTHER)
		return refuse(&next, err);
	if (next.state == LEASE_NONE) { /* somebody removed it */
		next.term = 1;
		memcpy(next.owner, args->owner, sizeof(next.owner));
	} else if (next.counter >= args->counter) {
		*args->lease = next;
		return true;
	}
	next.counter = args->counter;
	return supersede(session, args->owner, &next, args->lease, err);
}

bool
lease_read(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN],
	struct lease *ret_lease, struct err *err)
{
	struct lease lease = {0};
	struct lease_args args = {.owner = owner, .lease = &lease};
	if (!session_run(session, read_lease, &args, err))
		return false;
	*ret_lease = lease;
	return true;
}

bool
lease_take(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN], bool take_over,
	struct lease *ret_lease, struct err *err)
{
	struct lease lease = {0};
	struct lease_args args = {.owner = owner, .take_over = take_over, .lease = &lease};
	if (!session_run(session, take, &args, err))
		return false;
	*ret_lease = lease;
	return true;
}

bool
lease_raise(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN], uint64_t counter,
	struct lease *ret_lease, struct err *err)
{
	struct lease lease = {0};
	struct lease_args args = {.owner = owner, .counter = counter, .lease = &lease};
	if (!session_run(session, raise_counter, &args, err))
		return false;
	*ret_lease = lease;
	return true;
}
