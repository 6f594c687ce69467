/* Invariant: an operation that was begun on a session ends with the call, or the session does. */
#include "onepart.h"

#include "ck.h"
#include "identity.h"
#include "session_priv.h"

/* Cryptoki's inputs have no const, and SoftHSM takes a NULL of length 0 for a mistake. */
static unsigned char *
input(struct bytes bytes)
{
	static const uint8_t nothing[1];
	return (unsigned char *)(uintptr_t)(bytes.len == 0 ? nothing : bytes.data);
}

bool
onepart_sign(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err)
{
	CK_RV rv = session->ck->C_SignInit(session->handle, mechanism, key);
	if (rv != CKR_OK)
		return session_fail(session, "C_SignInit", rv, err);
	CK_ULONG len = size;
	rv = session->ck->C_Sign(session->handle, input(data), data.len, out, &len);
	if (rv != CKR_OK)
		return session_fail(session, "C_Sign", rv, err);
	if (len > size)
		return session_impossible(session, "C_Sign", err);
	*ret_len = len;
	return true;
}

bool
onepart_verify(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, struct bytes signature, bool *ret_valid, struct err *err)
{
	CK_RV rv = session->ck->C_VerifyInit(session->handle, mechanism, key);
	if (rv != CKR_OK)
		return session_fail(session, "C_VerifyInit", rv, err);
	rv = session->ck->C_Verify(
		session->handle, input(data), data.len, input(signature), signature.len);
	if (rv != CKR_OK && rv != CKR_SIGNATURE_INVALID && rv != CKR_SIGNATURE_LEN_RANGE)
		return session_fail(session, "C_Verify", rv, err);
	*ret_valid = rv == CKR_OK;
	return true;
}

bool
onepart_encrypt(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err)
{
	CK_RV rv = session->ck->C_EncryptInit(session->handle, mechanism, key);
	if (rv != CKR_OK)
		return session_fail(session, "C_EncryptInit", rv, err);
	CK_ULONG len = size;
	rv = session->ck->C_Encrypt(session->handle, input(data), data.len, out, &len);
	if (rv != CKR_OK)
		return session_fail(session, "C_Encrypt", rv, err);
	if (len > size)
		return session_impossible(session, "C_Encrypt", err);
	*ret_len = len;
	return true;
}

bool
onepart_decrypt(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err)
{
	CK_RV rv = session->ck->C_DecryptInit(session->handle, mechanism, key);
	if (rv != CKR_OK)
		return session_fail(session, "C_DecryptInit", rv, err);
	CK_ULONG len = size;
	rv = session->ck->C_Decrypt(session->handle, input(data), data.len, out, &len);
	if (rv != CKR_OK)
		return session_fail(session, "C_Decrypt", rv, err);
	if (len > size)
		return session_impossible(session, "C_Decrypt", err);
	*ret_len = len;
	return true;
}

bool
onepart_settle(struct session *session, struct err *err)
{
	if (session->data == CKR_DATA_SAME)
		return false;
	struct err doubt;
	if (session->data == CKR_DATA_DOUBT && !identity_known_answer(session, &doubt))
		return false; /* the token's fault: *err says what it was */
	session->repair = CKR_REPAIR_NONE;
	return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
}
