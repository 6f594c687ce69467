/* Invariant: one row for each enum value, so every look-up ends in a row. */
#include "mech.h"

#include <assert.h>
#include <string.h>

#include "ck.h"

static const struct mech_row rows[MECH_COUNT] = {
#define MECH(symbol, name, kty, bits, use, hash, ckm)                                              \
	[MECH_##symbol] = {name, KEY_##kty, bits, MECH_USE_##use, HASH_##hash, CKM_##ckm},
#include "mech.tbl"
};

const struct mech_row *
mech_get(enum mech mech)
{
	assert(mech > MECH_NONE && mech < MECH_COUNT);
	return &rows[mech];
}

enum mech
mech_find(const char *name)
{
	for (int mech = MECH_NONE + 1; mech < MECH_COUNT; mech++) {
		if (strcmp(rows[mech].name, name) == 0)
			return (enum mech)mech;
	}
	return MECH_NONE;
}

const char *
mech_service_name(enum mech_service service)
{
	switch (service) {
	case MECH_NOT_SERVED:
		return "not served";
	case MECH_NATIVE:
		return "native";
	case MECH_RAW_RSA:
		return "raw RSA, padding by OpenSSL in constant time";
	case MECH_KEY_OBJECT:
		return "C_WrapKey and C_UnwrapKey with session objects";
	}
	assert(!"a service outside the enum");
	return "";
}

enum mech
mech_of_curve(enum curve curve)
{
	static const enum mech by_curve[CURVE_COUNT] = {
		[CURVE_P256] = MECH_ES256,
		[CURVE_P384] = MECH_ES384,
		[CURVE_P521] = MECH_ES512,
		[CURVE_P256K] = MECH_ES256K,
	};
	assert(curve < CURVE_COUNT);
	return by_curve[curve];
}

uint32_t
mech_ops(enum mech mech)
{
	switch (mech_get(mech)->use) {
	case MECH_USE_OAEP:
		return KEY_OP_DECRYPT | KEY_OP_UNWRAP;
	case MECH_USE_PKCS1:
	case MECH_USE_PSS:
	case MECH_USE_ECDSA:
		return KEY_OP_SIGN;
	case MECH_USE_HMAC:
		return KEY_OP_SIGN | KEY_OP_VERIFY;
	case MECH_USE_GCM:
		return KEY_OP_ENCRYPT | KEY_OP_DECRYPT;
	case MECH_USE_KW:
	case MECH_USE_KWP:
		return KEY_OP_WRAP | KEY_OP_UNWRAP;
	}
	assert(!"a use outside the enum");
	return 0;
}
