/* Invariant: what another process deletes while we look is skipped, not an error. */
#include "inventory.h"

#include <string.h>

#include "ck.h"
#include "lease.h"
#include "object.h"
#include "session_priv.h"

#define WALK_MAX  65536 /* objects of one token */
#define COUNT_MAX 64    /* objects of one id */

static void
read_label(struct session *session, unsigned long object, char label[static HSMKEY_LABEL_MAX + 1])
{
	uint8_t text[HSMKEY_LABEL_MAX];
	size_t len = 0;
	struct err err;
	if (object_read(session, object, CKA_LABEL, text, sizeof(text), &len, &err) != OBJECT_VALUE)
		len = 0;
	for (size_t i = 0; i < len; i++)
		label[i] = text[i] < 0x20 || text[i] >= 0x7f ? '?' : (char)text[i];
	label[len] = '\0';
}

static enum inventory_class
read_class(struct session *session, unsigned long object)
{
	CK_ULONG class = CKO_DATA;
	size_t len;
	struct err err;
	if (object_read(session, object, CKA_CLASS, &class, sizeof(class), &len, &err) !=
		OBJECT_VALUE)
		return INVENTORY_OTHER;
	switch (class) {
	case CKO_PRIVATE_KEY:
		return INVENTORY_PRIVATE;
	case CKO_PUBLIC_KEY:
		return INVENTORY_PUBLIC;
	case CKO_SECRET_KEY:
		return INVENTORY_SECRET;
	default:
		return INVENTORY_OTHER;
	}
}

struct count_args {
	const uint8_t *id;
	struct inventory_count *count;
};

static bool
count_id(struct session *session, void *data, struct err *err)
{
	struct count_args *args = data;
	struct inventory_count *count = args->count;
	*count = (struct inventory_count){0};
	unsigned long objects[COUNT_MAX];
	size_t found;
	if (!object_find_id(session, args->id, objects, COUNT_MAX, &found, err))
		return false;
	for (size_t i = 0; i < found; i++) {
		enum inventory_class class = read_class(session, objects[i]);
		count->private_keys += class == INVENTORY_PRIVATE;
		count->public_keys += class == INVENTORY_PUBLIC;
		count->secret_keys += class == INVENTORY_SECRET;
	}
	if (found > 0)
		read_label(session, objects[0], count->label);
	return true;
}

bool
inventory_count(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	struct inventory_count *ret_count, struct err *err)
{
	struct inventory_count count;
	struct count_args args = {id, &count};
	if (!session_run(session, count_id, &args, err))
		return false;
	*ret_count = count;
	return true;
}

/* Ours, and no key. */
static bool
is_lease(struct session *session, unsigned long handle)
{
	char label[HSMKEY_LABEL_MAX + 1];
	read_label(session, handle, label);
	return read_class(session, handle) == INVENTORY_OTHER && lease_is(label);
}

/* false: not ours. */
static bool
read_object(struct session *session, unsigned long handle, struct inventory_object *object)
{
	size_t len = 0;
	struct err err;
	object->class = read_class(session, handle);
	if (object->class == INVENTORY_OTHER ||
		object_read(session, handle, CKA_ID, object->id, sizeof(object->id), &len, &err) !=
			OBJECT_VALUE ||
		len != sizeof(object->id))
		return false;
	read_label(session, handle, object->label);
	return strchr(object->label, '/') != NULL;
}

struct walk_args {
	inventory_visitor *visit;
	void *context;
	uint32_t foreign;
};

static bool
find_tokens(struct session *session, struct buf *handles, size_t *ret_count, struct err *err)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE token = {CKA_TOKEN, &yes, sizeof(yes)};
	unsigned long *room = (void *)buf_reserve(handles, WALK_MAX * sizeof(*room));
	return object_find(session, &token, 1, room, WALK_MAX, ret_count, err);
}

static bool
walk(struct session *session, void *data, struct err *err)
{
	struct walk_args *args = data;
	CLEAN(buf)
	struct buf handles;
	buf_init(&handles, WALK_MAX * sizeof(unsigned long));
	size_t count;
	if (!find_tokens(session, &handles, &count, err))
		return false;
	const unsigned long *list = (const void *)handles.data;
	bool more = true;
	for (size_t i = 0; i < count; i++) {
		struct inventory_object object;
		if (!read_object(session, list[i], &object))
			args->foreign += is_lease(session, list[i]) ? 0 : 1;
		else if (more)
			more = args->visit(args->context, &object);
	}
	return true;
}

bool
inventory_walk(struct session *session, inventory_visitor *visit, void *context,
	uint32_t *ret_foreign, struct err *err)
{
	struct walk_args args = {visit, context, 0};
	if (!walk(session, &args, err)) /* not run again: the visitor has seen a part */
		return false;
	*ret_foreign = args.foreign;
	return true;
}
