/* Invariant: an object whose value is hidden, or cannot be read, is never touched. */
#include "remains.h"

#include "base/buf.h"
#include "ck.h"
#include "object.h"

#define WALK_MAX 65536 /* objects of one token */

/* Absent, or there with nothing in it. */
static bool
is_empty(struct session *session, unsigned long object, unsigned long type)
{
	CK_ATTRIBUTE attribute = {type, NULL, 0};
	CK_RV rv = session->ck->C_GetAttributeValue(session->handle, object, &attribute, 1);
	return rv == CKR_ATTRIBUTE_TYPE_INVALID || (rv == CKR_OK && attribute.ulValueLen == 0);
}

/* Of the types that we make; what tells that another type has a value we do not know. */
static bool
is_rsa_or_ec(struct session *session, unsigned long object)
{
	CK_ULONG type = CKK_VENDOR_DEFINED;
	size_t len;
	struct err err;
	return object_read(session, object, CKA_KEY_TYPE, &type, sizeof(type), &len, &err) ==
		       OBJECT_VALUE &&
	       (type == CKK_RSA || type == CKK_EC);
}

/* A secret key tells its length, whatever else it hides; both halves of a pair tell their parameters. */
bool
remains_has_no_value(struct session *session, unsigned long object)
{
	CK_ULONG class = CKO_DATA, value_len = 1;
	size_t len;
	struct err err;
	if (object_read(session, object, CKA_CLASS, &class, sizeof(class), &len, &err) !=
		OBJECT_VALUE)
		return false;
	switch (class) {
	case CKO_SECRET_KEY:
		return object_read(session, object, CKA_VALUE_LEN, &value_len, sizeof(value_len),
			       &len, &err) == OBJECT_VALUE &&
		       value_len == 0;
	case CKO_PRIVATE_KEY:
	case CKO_PUBLIC_KEY:
		return is_rsa_or_ec(session, object) && is_empty(session, object, CKA_MODULUS) &&
		       is_empty(session, object, CKA_EC_PARAMS) &&
		       is_empty(session, object, CKA_EC_POINT);
	default:
		return false;
	}
}

bool
remains_remove(struct session *session, struct err *err)
{
	CLEAN(buf)
	struct buf handles;
	buf_init(&handles, WALK_MAX * sizeof(unsigned long));
	unsigned long *objects = (void *)buf_reserve(&handles, WALK_MAX * sizeof(*objects));
	size_t count;
	/* not of CKA_TOKEN: an object that has lost its name has lost that too */
	if (!object_find(session, NULL, 0, objects, WALK_MAX, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_empty(session, objects[i], CKA_ID) &&
			is_empty(session, objects[i], CKA_LABEL) &&
			remains_has_no_value(session, objects[i]))
			(void)session->ck->C_DestroyObject(session->handle, objects[i]);
	}
	return true;
}
