/* Invariant: a search that was begun is ended on every path. */
#include "object.h"

#include "ck.h"
#include "session_priv.h"

bool
object_find(struct session *session, struct _CK_ATTRIBUTE *attributes, size_t attribute_count,
	unsigned long *ret_objects, size_t max, size_t *ret_count, struct err *err)
{
	struct _CK_FUNCTION_LIST *ck = session->ck;
	CK_RV rv = ck->C_FindObjectsInit(session->handle, attributes, attribute_count);
	if (rv != CKR_OK)
		return session_fail(session, "C_FindObjectsInit", rv, err);
	size_t count = 0;
	while (count < max) {
		CK_ULONG found = 0;
		rv = ck->C_FindObjects(session->handle, ret_objects + count, max - count, &found);
		if (rv != CKR_OK || found == 0)
			break;
		if (found > max - count)
			return session_impossible(session, "C_FindObjects", err);
		count += found;
	}
	CK_RV final = ck->C_FindObjectsFinal(session->handle);
	if (rv != CKR_OK)
		return session_fail(session, "C_FindObjects", rv, err);
	if (final != CKR_OK)
		return session_fail(session, "C_FindObjectsFinal", final, err);
	*ret_count = count;
	return true;
}

bool
object_find_id(struct session *session, const uint8_t id[static 16], unsigned long *ret_objects,
	size_t max, size_t *ret_count, struct err *err)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE attributes[] = {
		{CKA_TOKEN, &yes,                  sizeof(yes)},
		{CKA_ID,    (void *)(uintptr_t)id,
                 16					   }, /* a search template is not written to; its type has no const */
	};
	return object_find(
		session, attributes, ARRAY_LEN(attributes), ret_objects, max, ret_count, err);
}

enum object_value
object_read(struct session *session, unsigned long object, unsigned long type, void *value,
	size_t size, size_t *ret_len, struct err *err)
{
	CK_ATTRIBUTE attribute = {type, value, size};
	CK_RV rv = session->ck->C_GetAttributeValue(session->handle, object, &attribute, 1);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE)
		return OBJECT_ABSENT;
	if (rv == CKR_OK && attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION)
		return OBJECT_ABSENT;
	if (rv == CKR_OK && attribute.ulValueLen > size)
		return session_impossible(session, "C_GetAttributeValue", err), OBJECT_FAILED;
	if (rv != CKR_OK)
		return session_fail(session, "C_GetAttributeValue", rv, err), OBJECT_FAILED;
	*ret_len = attribute.ulValueLen;
	return OBJECT_VALUE;
}

bool
object_get(struct session *session, unsigned long object, unsigned long type, void *value,
	size_t size, size_t *ret_len, struct err *err)
{
	switch (object_read(session, object, type, value, size, ret_len, err)) {
	case OBJECT_VALUE:
		return true;
	case OBJECT_ABSENT:
		(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
		return err_origin(err, "attribute 0x%lx is missing", type);
	case OBJECT_FAILED:
		break;
	}
	return false;
}

static bool
wrong_size(unsigned long type, struct err *err)
{
	(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
	return err_origin(err, "attribute 0x%lx has a wrong size", type);
}

bool
object_get_bool(struct session *session, unsigned long object, unsigned long type, bool *ret_value,
	struct err *err)
{
	CK_BBOOL value = CK_FALSE;
	size_t len;
	if (!object_get(session, object, type, &value, sizeof(value), &len, err))
		return false;
	if (len != sizeof(value))
		return wrong_size(type, err);
	*ret_value = value != CK_FALSE;
	return true;
}

bool
object_get_number(struct session *session, unsigned long object, unsigned long type,
	unsigned long *ret_value, struct err *err)
{
	CK_ULONG value = 0;
	size_t len;
	if (!object_get(session, object, type, &value, sizeof(value), &len, err))
		return false;
	if (len != sizeof(value))
		return wrong_size(type, err);
	*ret_value = value;
	return true;
}

bool
object_destroy(struct session *session, unsigned long object, struct err *err)
{
	CK_RV rv = session->ck->C_DestroyObject(session->handle, object);
	if (rv != CKR_OK)
		return session_fail(session, "C_DestroyObject", rv, err);
	return true;
}

void
object_destroy_transient(struct session *session, unsigned long object)
{
	session->objects++;
	if (session->ck->C_DestroyObject(session->handle, object) == CKR_OK)
		return;
	struct err err;
	if (!session_reopen(session, &err))
		session->lost = true;
}
