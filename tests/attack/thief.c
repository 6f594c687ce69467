#include "attack/thief.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "base/attr.h"
#include "pkcs11/ck.h"

#define SLOTS_MAX           32
#define SESSION_HANDLES_MAX 10000

struct thief {
	CK_FUNCTION_LIST *ck;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
};

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static CK_SLOT_ID
find_slot(CK_FUNCTION_LIST *ck, const char *label)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	assert_int_equal(ck->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		if (ck->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			strncmp((const char *)info.label, label, strlen(label)) == 0)
			return slots[i];
	}
	fail_msg("no token %s", label);
	return 0;
}

/* Reopens the login: a thief starts with a clean session, and so does each of his tries. */
static void
fresh_session(struct thief *thief)
{
	CK_SESSION_HANDLE old = thief->session;
	assert_int_equal(thief->ck->C_OpenSession(thief->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
				 NULL, NULL, &thief->session),
		CKR_OK);
	if (old != 0)
		assert_int_equal(thief->ck->C_CloseSession(old), CKR_OK);
}

struct thief *
thief_open(const char *module, const char *label, const char *pin)
{
	struct thief *thief = calloc(1, sizeof(*thief));
	assert_non_null(thief);
	thief->ck = p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED);
	assert_non_null(thief->ck);
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	assert_int_equal(thief->ck->C_Initialize(&args), CKR_OK);
	thief->slot = find_slot(thief->ck, label);
	fresh_session(thief);
	assert_int_equal(thief->ck->C_Login(thief->session, CKU_USER,
				 (unsigned char *)(uintptr_t)pin, strlen(pin)),
		CKR_OK);
	return thief;
}

void
thief_close(struct thief *thief)
{
	if (thief == NULL)
		return;
	assert_int_equal(thief->ck->C_Finalize(NULL), CKR_OK);
	p11_kit_module_release(thief->ck);
	free(thief);
}

struct thief *
thief_join(const char *module, const char *label)
{
	struct thief *thief = calloc(1, sizeof(*thief));
	assert_non_null(thief);
	thief->ck = p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED);
	assert_non_null(thief->ck);
	thief->slot = find_slot(thief->ck, label);
	fresh_session(thief);
	return thief;
}

void
thief_leave(struct thief *thief)
{
	p11_kit_module_release(thief->ck);
	free(thief);
}

void
thief_logout(struct thief *thief)
{
	assert_int_equal(thief->ck->C_Logout(thief->session), CKR_OK);
}

void
thief_close_others(struct thief *thief)
{
	for (CK_SESSION_HANDLE handle = 1; handle < SESSION_HANDLES_MAX; handle++) {
		if (handle != thief->session)
			(void)thief->ck->C_CloseSession(handle); /* most are nobody's */
	}
}

size_t
thief_find(struct thief *thief, const uint8_t *id, bool token,
	unsigned long objects[static THIEF_OBJECTS_MAX])
{
	CK_ATTRIBUTE attributes[] = {
		{CKA_TOKEN, token ? &yes : &no,    sizeof(yes)},
		{CKA_ID,    (void *)(uintptr_t)id, 16         },
	};
	CK_ULONG count = 0;
	assert_int_equal(
		thief->ck->C_FindObjectsInit(thief->session, attributes, id == NULL ? 1 : 2),
		CKR_OK);
	assert_int_equal(
		thief->ck->C_FindObjects(thief->session, objects, THIEF_OBJECTS_MAX, &count),
		CKR_OK);
	assert_int_equal(thief->ck->C_FindObjectsFinal(thief->session), CKR_OK);
	return count;
}

size_t
thief_find_keys(struct thief *thief, unsigned long objects[static THIEF_OBJECTS_MAX])
{
	size_t count = thief_find(thief, NULL, true, objects), keys = 0;
	for (size_t i = 0; i < count; i++)
		if (thief_class(thief, objects[i]) != CKO_DATA)
			objects[keys++] = objects[i];
	return keys;
}

static unsigned long
number(struct thief *thief, unsigned long object, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG value = 0;
	CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
	assert_int_equal(
		thief->ck->C_GetAttributeValue(thief->session, object, &attribute, 1), CKR_OK);
	return value;
}

unsigned long
thief_class(struct thief *thief, unsigned long object)
{
	return number(thief, object, CKA_CLASS);
}

unsigned long
thief_key_type(struct thief *thief, unsigned long object)
{
	return number(thief, object, CKA_KEY_TYPE);
}

bool
thief_flag(struct thief *thief, unsigned long object, unsigned long type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
	return thief->ck->C_GetAttributeValue(thief->session, object, &attribute, 1) == CKR_OK &&
	       value != CK_FALSE;
}

unsigned long
thief_set_flag(struct thief *thief, unsigned long object, unsigned long type, bool value)
{
	CK_ATTRIBUTE attribute = {type, value ? &yes : &no, sizeof(yes)};
	return thief->ck->C_SetAttributeValue(thief->session, object, &attribute, 1);
}

unsigned long
thief_copy(struct thief *thief, unsigned long object, unsigned long type, bool value)
{
	CK_ATTRIBUTE attribute = {type, value ? &yes : &no, sizeof(yes)};
	CK_OBJECT_HANDLE copy;
	return thief->ck->C_CopyObject(thief->session, object, &attribute, 1, &copy);
}

unsigned long
thief_destroy(struct thief *thief, unsigned long object)
{
	return thief->ck->C_DestroyObject(thief->session, object);
}

unsigned long
thief_plant_aes(struct thief *thief, const uint8_t id[static 16], const uint8_t value[static 32],
	bool trusted, unsigned long *ret_object)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,                              sizeof(class)},
		{CKA_KEY_TYPE,    &type,                               sizeof(type) },
		{CKA_TOKEN,       &yes,                                sizeof(yes)  },
		{CKA_PRIVATE,     &yes,                                sizeof(yes)  },
		{CKA_SENSITIVE,   &yes,                                sizeof(yes)  },
		{CKA_EXTRACTABLE, &no,                                 sizeof(no)   },
		{CKA_WRAP,        &yes,                                sizeof(yes)  },
		{CKA_UNWRAP,      &yes,                                sizeof(yes)  },
		{CKA_ENCRYPT,     &no,                                 sizeof(no)   },
		{CKA_DECRYPT,     &no,                                 sizeof(no)   },
		{CKA_SIGN,        &no,				 sizeof(no)   },
		{CKA_VERIFY,      &no,                                 sizeof(no)   },
		{CKA_ID,          (void *)(uintptr_t)id,               16           },
		{CKA_LABEL,       (void *)(uintptr_t) "vault/planted", 13           },
		{CKA_VALUE,       (void *)(uintptr_t)value,            32           },
		{CKA_TRUSTED,     &yes,                                sizeof(yes)  },
	};
	CK_ULONG count = ARRAY_LEN(attributes) - (trusted ? 0 : 1);
	return thief->ck->C_CreateObject(thief->session, attributes, count, ret_object);
}

#define PLANTED_PARTS_MAX 4

struct part {
	CK_ATTRIBUTE_TYPE type;
	const char *value;
	CK_ULONG len;
};

#define P256     "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P256_LEN 10
/* the base point, whose private key is 1 */
#define POINT                                                                                      \
	"\x04\x41\x04"                                                                             \
	"\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"                         \
	"\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"                         \
	"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16"                         \
	"\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5"
#define POINT_LEN 67

static const struct planted {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	struct part parts[PLANTED_PARTS_MAX];
} planted[THIEF_KEY_COUNT] = {
	[THIEF_EMPTY_EC_PUBLIC] = {CKO_PUBLIC_KEY,  CKK_EC,
				   {{CKA_EC_PARAMS, "", 0}, {CKA_EC_POINT, "", 0}}                        },
	[THIEF_EMPTY_EC_PRIVATE] = {CKO_PRIVATE_KEY, CKK_EC,
				   {{CKA_EC_PARAMS, "", 0}, {CKA_VALUE, "", 0}}                           },
	[THIEF_EMPTY_SECRET] = {CKO_SECRET_KEY,  CKK_GENERIC_SECRET, {{CKA_VALUE, "", 0}}              },
	[THIEF_EC_PUBLIC] = {CKO_PUBLIC_KEY,  CKK_EC,
				   {{CKA_EC_PARAMS, P256, P256_LEN}, {CKA_EC_POINT, POINT, POINT_LEN}}    },
	[THIEF_EC_PRIVATE] = {CKO_PRIVATE_KEY, CKK_EC,
				   {{CKA_EC_PARAMS, P256, P256_LEN}, {CKA_VALUE, "\x01", 1}}              },
	[THIEF_SECRET] = {CKO_SECRET_KEY,  CKK_GENERIC_SECRET, {{CKA_VALUE, "secret", 6}}        },
	[THIEF_DSA_PUBLIC] = {CKO_PUBLIC_KEY,  CKK_DSA,
				   {{CKA_PRIME, "\x17", 1}, {CKA_SUBPRIME, "\x0b", 1}, {CKA_BASE, "\x02", 1},
			{CKA_VALUE, "\x03", 1}}							   },
	[THIEF_DSA_PRIVATE] = {CKO_PRIVATE_KEY, CKK_DSA,
				   {{CKA_PRIME, "\x17", 1}, {CKA_SUBPRIME, "\x0b", 1}, {CKA_BASE, "\x02", 1},
			{CKA_VALUE, "\x03", 1}}							   },
	[THIEF_DH_PUBLIC] = {CKO_PUBLIC_KEY,  CKK_DH,
				   {{CKA_PRIME, "\x17", 1}, {CKA_BASE, "\x02", 1}, {CKA_VALUE, "\x03", 1}}},
};

unsigned long
thief_plant_key(
	struct thief *thief, enum thief_key which, const uint8_t *id, unsigned long *ret_object)
{
	struct planted key = planted[which];
	CK_ATTRIBUTE attributes[4 + PLANTED_PARTS_MAX] = {
		{CKA_CLASS,    &key.class, sizeof(key.class)},
		{CKA_KEY_TYPE, &key.type,  sizeof(key.type) },
		{CKA_TOKEN,    &yes,       sizeof(yes)      },
	};
	CK_ULONG count = 3;
	for (size_t i = 0; i < PLANTED_PARTS_MAX && key.parts[i].value != NULL; i++)
		attributes[count++] = (CK_ATTRIBUTE){
			key.parts[i].type, (void *)(uintptr_t)key.parts[i].value, key.parts[i].len};
	if (id != NULL)
		attributes[count++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)id, 16};
	return thief->ck->C_CreateObject(thief->session, attributes, count, ret_object);
}

unsigned long
thief_plant_rsa(struct thief *thief, const uint8_t id[static 16])
{
	CK_ULONG bits = 2048;
	CK_BYTE e[] = {1, 0, 1};
	CK_ATTRIBUTE public_half[] = {
		{CKA_TOKEN,           &no,   sizeof(no)  },
		{CKA_MODULUS_BITS,    &bits, sizeof(bits)},
		{CKA_PUBLIC_EXPONENT, e,     sizeof(e)   },
	};
	CK_ATTRIBUTE private_half[] = {
		{CKA_TOKEN,       &yes,                  sizeof(yes)},
		{CKA_PRIVATE,     &yes,                  sizeof(yes)},
		{CKA_SENSITIVE,   &yes,                  sizeof(yes)},
		{CKA_EXTRACTABLE, &no,                   sizeof(no) },
		{CKA_DECRYPT,     &yes,                  sizeof(yes)},
		{CKA_SIGN,        &no,                   sizeof(no) },
		{CKA_UNWRAP,      &no,                   sizeof(no) },
		{CKA_ID,          (void *)(uintptr_t)id, 16         },
	};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE public_object, private_object;
	return thief->ck->C_GenerateKeyPair(thief->session, &mechanism, public_half,
		ARRAY_LEN(public_half), private_half, ARRAY_LEN(private_half), &public_object,
		&private_object);
}

unsigned long
thief_plant_data(struct thief *thief, const char *application, const char *label, const void *value,
	size_t len)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE object;
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,                         sizeof(class)      },
		{CKA_TOKEN,       &yes,                           sizeof(yes)        },
		{CKA_PRIVATE,     &yes,                           sizeof(yes)        },
		{CKA_APPLICATION, (void *)(uintptr_t)application, strlen(application)},
		{CKA_LABEL,       (void *)(uintptr_t)label,       strlen(label)      },
		{CKA_VALUE,       (void *)(uintptr_t)value,       len                },
	};
	return thief->ck->C_CreateObject(
		thief->session, attributes, ARRAY_LEN(attributes), &object);
}

size_t
thief_count_data(struct thief *thief)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	size_t count = thief_find(thief, NULL, true, objects), data = 0;
	for (size_t i = 0; i < count; i++)
		data += thief_class(thief, objects[i]) == CKO_DATA;
	return data;
}

static CK_RV
create_nothing(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_HANDLE *object)
{
	(void)session;
	(void)attributes;
	(void)count;
	(void)object;
	return CKR_TEMPLATE_INCONSISTENT;
}

struct _CK_FUNCTION_LIST *
thief_without_data(struct thief *thief)
{
	static CK_FUNCTION_LIST list;
	list = *thief->ck;
	list.C_CreateObject = create_nothing;
	return &list;
}

unsigned long
thief_wrap(struct thief *thief, unsigned long type, unsigned long wrapping, unsigned long object,
	uint8_t out[static 4096], size_t *ret_len)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ULONG len = 4096;
	CK_RV rv = thief->ck->C_WrapKey(thief->session, &mechanism, wrapping, object, out, &len);
	*ret_len = rv == CKR_OK ? len : 0;
	return rv;
}

unsigned long
thief_unwrap(struct thief *thief, unsigned long type, unsigned long unwrapping, const uint8_t *blob,
	size_t len, unsigned long *ret_object)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	CK_BYTE iv[16] = {0};
	CK_MECHANISM mechanism = {type, NULL, 0};
	if (type == CKM_AES_CBC_PAD || type == CKM_AES_CBC)
		mechanism = (CK_MECHANISM){type, iv, sizeof(iv)};
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,    sizeof(class)   },
		{CKA_KEY_TYPE,    &key_type, sizeof(key_type)},
		{CKA_TOKEN,       &no,       sizeof(no)      },
		{CKA_SENSITIVE,   &no,       sizeof(no)      },
		{CKA_EXTRACTABLE, &yes,      sizeof(yes)     },
	};
	return thief->ck->C_UnwrapKey(thief->session, &mechanism, unwrapping,
		(CK_BYTE *)(uintptr_t)blob, len, attributes, ARRAY_LEN(attributes), ret_object);
}

unsigned long
thief_decrypt(struct thief *thief, unsigned long type, unsigned long key, const uint8_t *data,
	size_t len, uint8_t out[static 4096], size_t *ret_len)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ULONG out_len = 4096;
	CK_RV rv = thief->ck->C_DecryptInit(thief->session, &mechanism, key);
	if (rv == CKR_OK)
		rv = thief->ck->C_Decrypt(
			thief->session, (CK_BYTE *)(uintptr_t)data, len, out, &out_len);
	*ret_len = rv == CKR_OK ? out_len : 0;
	return rv;
}

unsigned long
thief_read_value(struct thief *thief, unsigned long object)
{
	uint8_t value[1024];
	bool private_key = thief_class(thief, object) == CKO_PRIVATE_KEY;
	bool rsa = thief_key_type(thief, object) == CKK_RSA;
	CK_ATTRIBUTE attribute = {
		private_key && rsa ? CKA_PRIVATE_EXPONENT : CKA_VALUE, value, sizeof(value)};
	CK_RV rv = thief->ck->C_GetAttributeValue(thief->session, object, &attribute, 1);
	if (rv == CKR_OK &&
		(attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION || attribute.ulValueLen == 0))
		return CKR_ATTRIBUTE_SENSITIVE;
	return rv;
}

size_t
thief_mechanisms(struct thief *thief, unsigned long list[static THIEF_MECHANISMS_MAX])
{
	CK_ULONG count = THIEF_MECHANISMS_MAX;
	assert_int_equal(thief->ck->C_GetMechanismList(thief->slot, list, &count), CKR_OK);
	return count;
}

/* Parameters that a mechanism insists on before it looks at the key. */
struct parameters {
	CK_BYTE iv[16];
	CK_GCM_PARAMS gcm;
	CK_AES_CTR_PARAMS ctr;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	CK_RSA_PKCS_PSS_PARAMS pss;
};

static CK_MECHANISM
with_parameters(CK_MECHANISM_TYPE type, struct parameters *p)
{
	*p = (struct parameters){
		.gcm = {.pIv = p->iv,            .ulIvLen = 12,                .ulIvBits = 96,                  .ulTagBits = 128},
		.ctr = {.ulCounterBits = 128                      },
		.oaep = {.hashAlg = CKM_SHA_1,   .mgf = CKG_MGF1_SHA1,                                .source = CKZ_DATA_SPECIFIED                                        },
		.pss = {.hashAlg = CKM_SHA256, .mgf = CKG_MGF1_SHA256,.sLen = 32},
	};
	switch (type) {
	case CKM_AES_GCM:
		return (CK_MECHANISM){type, &p->gcm, sizeof(p->gcm)};
	case CKM_AES_CTR:
		return (CK_MECHANISM){type, &p->ctr, sizeof(p->ctr)};
	case CKM_RSA_PKCS_OAEP:
		return (CK_MECHANISM){type, &p->oaep, sizeof(p->oaep)};
	case CKM_RSA_PKCS_PSS:
		return (CK_MECHANISM){type, &p->pss, sizeof(p->pss)};
	case CKM_AES_CBC:
	case CKM_AES_CBC_PAD:
		return (CK_MECHANISM){type, p->iv, sizeof(p->iv)};
	default:
		return (CK_MECHANISM){type, NULL, 0};
	}
}

/* A session key that may be wrapped by anybody: what it takes to see whether a key wraps at all. */
static unsigned long
open_key(struct thief *thief)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class,						 sizeof(class)},
		{CKA_KEY_TYPE,    &type,						  sizeof(type) },
		{CKA_TOKEN,       &no,						    sizeof(no)   },
		{CKA_SENSITIVE,   &no,						    sizeof(no)   },
		{CKA_EXTRACTABLE, &yes,						   sizeof(yes)  },
		{CKA_VALUE,       (void *)(uintptr_t) "0123456789abcdef0123456789abcdef", 32           },
	};
	CK_OBJECT_HANDLE object;
	assert_int_equal(thief->ck->C_CreateObject(
				 thief->session, attributes, ARRAY_LEN(attributes), &object),
		CKR_OK);
	return object;
}

unsigned
thief_try_mechanism(struct thief *thief, unsigned long type, unsigned long object)
{
	unsigned passed = 0;
	struct parameters parameters;
	CK_MECHANISM mechanism = with_parameters(type, &parameters);
	CK_FUNCTION_LIST *ck = thief->ck;
	if (ck->C_EncryptInit(thief->session, &mechanism, object) == CKR_OK)
		passed |= THIEF_ENCRYPT, fresh_session(thief);
	if (ck->C_DecryptInit(thief->session, &mechanism, object) == CKR_OK)
		passed |= THIEF_DECRYPT, fresh_session(thief);
	if (ck->C_SignInit(thief->session, &mechanism, object) == CKR_OK)
		passed |= THIEF_SIGN, fresh_session(thief);
	uint8_t out[4096];
	size_t len;
	unsigned long target = open_key(thief), unwrapped;
	if (thief_wrap(thief, type, object, target, out, &len) == CKR_OK)
		passed |= THIEF_WRAP;
	if (len > 0 && thief_unwrap(thief, type, object, out, len, &unwrapped) == CKR_OK)
		passed |= THIEF_UNWRAP;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE derived[] = {
		{CKA_CLASS,    &class,    sizeof(class)   },
                {CKA_KEY_TYPE, &key_type, sizeof(key_type)}
        };
	CK_KEY_DERIVATION_STRING_DATA data = {(CK_BYTE *)(uintptr_t) "0123456789abcdef", 16};
	CK_MECHANISM derive = {type, &data, sizeof(data)};
	CK_OBJECT_HANDLE result;
	if (ck->C_DeriveKey != NULL && ck->C_DeriveKey(thief->session, &derive, object, derived,
					       ARRAY_LEN(derived), &result) == CKR_OK)
		passed |= THIEF_DERIVE;
	fresh_session(thief);
	return passed;
}
