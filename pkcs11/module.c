/* Invariant: after module_find_token() the slot is the only one whose token matched. */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "ck.h"
#include "ckr.h"
#include "crypto/crypto.h"
#include "module_priv.h"

#define SLOTS_MAX 1024

/* A module that lacks one of these cannot serve; everything here may then call them unchecked. */
#define REQUIRED_FUNCTIONS(F)                                                                      \
	F(C_Initialize)                                                                            \
	F(C_Finalize)                                                                              \
	F(C_GetSlotList)                                                                           \
	F(C_GetSlotInfo)                                                                           \
	F(C_GetTokenInfo)                                                                          \
	F(C_GetMechanismInfo)                                                                      \
	F(C_OpenSession)                                                                           \
	F(C_CloseSession)                                                                          \
	F(C_GetSessionInfo)                                                                        \
	F(C_Login)                                                                                 \
	F(C_CreateObject)                                                                          \
	F(C_CopyObject)                                                                            \
	F(C_DestroyObject)                                                                         \
	F(C_GetAttributeValue)                                                                     \
	F(C_SetAttributeValue)                                                                     \
	F(C_FindObjectsInit)                                                                       \
	F(C_FindObjects)                                                                           \
	F(C_FindObjectsFinal)                                                                      \
	F(C_EncryptInit)                                                                           \
	F(C_Encrypt)                                                                               \
	F(C_DecryptInit)                                                                           \
	F(C_Decrypt)                                                                               \
	F(C_SignInit)                                                                              \
	F(C_Sign)                                                                                  \
	F(C_VerifyInit)                                                                            \
	F(C_Verify)                                                                                \
	F(C_GenerateKey)                                                                           \
	F(C_GenerateKeyPair)                                                                       \
	F(C_WrapKey)                                                                               \
	F(C_UnwrapKey)

static const char *
missing_function(const struct _CK_FUNCTION_LIST *ck)
{
#define CHECK(function)                                                                            \
	if (ck->function == NULL)                                                                  \
		return #function;
	REQUIRED_FUNCTIONS(CHECK)
#undef CHECK
	return NULL;
}

struct module *
module_load(const char *path, struct err *err)
{
	if (path[0] != '/') {
		(void)err_set(err, ERR_CONFIG, "The module's path '%s' is not absolute.", path);
		return NULL;
	}
	if (!crypto_init(err))
		return NULL;
	/*
	 * Unmanaged: p11-kit's managed modules put a layer under every call and start the module themselves, which
	 * would hide CKR_CANT_LOCK. There is one module and nobody to share it with.
	 */
	struct _CK_FUNCTION_LIST *ck = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
	if (ck == NULL) {
		const char *reason = p11_kit_message();
		(void)err_set(err, ERR_CONFIG, "The PKCS#11 module %s cannot be loaded.", path);
		(void)err_origin(err, "p11-kit: %s", reason == NULL ? "no reason given" : reason);
		return NULL;
	}
	const char *missing = missing_function(ck);
	if (missing != NULL) {
		(void)err_set(err, ERR_CONFIG, "The PKCS#11 module %s has no %s.", path, missing);
		return NULL;
	}
	struct module *module = calloc(1, sizeof(*module));
	if (module == NULL)
		abort();
	module->ck = ck;
	return module;
}

void
module_free(struct module *module)
{
	free(module);
}

bool
module_start(struct module *module, struct err *err)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv = module->ck->C_Initialize(&args);
	if (rv == CKR_CANT_LOCK) {
		module->one_thread = true;
		rv = module->ck->C_Initialize(NULL);
	}
	if (rv != CKR_OK)
		return ckr_set(err, "C_Initialize", rv);
	module->started = true;
	return true;
}

void
module_stop(struct module *module)
{
	if (module->started)
		(void)module->ck->C_Finalize(NULL); /* the process ends whatever it says */
	module->started = false;
}

/* Fixed-width, blank-padded, not terminated (PKCS#11 3.0 §3.3). */
static void
copy_padded(const unsigned char *padded, size_t len, char *text)
{
	while (len > 0 && (padded[len - 1] == ' ' || padded[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++)
		text[i] = padded[i] < 0x20 || padded[i] == 0x7f ? '?' : (char)padded[i];
	text[len] = '\0';
}

static uint32_t
flags_of(const CK_TOKEN_INFO *token, bool one_thread)
{
	static const struct {
		CK_FLAGS theirs;
		uint32_t ours;
	} map[] = {
		{CKF_WRITE_PROTECTED,               MODULE_READ_ONLY    },
		{CKF_PROTECTED_AUTHENTICATION_PATH, MODULE_KEYPAD       },
		{CKF_USER_PIN_COUNT_LOW,            MODULE_PIN_COUNT_LOW},
		{CKF_USER_PIN_FINAL_TRY,            MODULE_PIN_FINAL_TRY},
		{CKF_USER_PIN_LOCKED,               MODULE_PIN_LOCKED   },
	};
	uint32_t flags = one_thread ? MODULE_ONE_THREAD : 0;
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if ((token->flags & map[i].theirs) != 0)
			flags |= map[i].ours;
	}
	if ((token->flags & CKF_USER_PIN_INITIALIZED) == 0)
		flags |= MODULE_PIN_MISSING;
	return flags;
}

static void
fill_info(struct module *module, const CK_TOKEN_INFO *token)
{
	struct module_info *info = &module->info;
	copy_padded(token->label, sizeof(token->label), info->label);
	copy_padded(token->manufacturerID, sizeof(token->manufacturerID), info->manufacturer);
	copy_padded(token->model, sizeof(token->model), info->model);
	copy_padded(token->serialNumber, sizeof(token->serialNumber), info->serial);
	(void)snprintf(info->firmware, sizeof(info->firmware), "%u.%u",
		(unsigned)token->firmwareVersion.major, (unsigned)token->firmwareVersion.minor);
	info->flags = flags_of(token, module->one_thread);
}

static P11KitUri *
parse_uri(const char *text, struct err *err)
{
	P11KitUri *uri = p11_kit_uri_new();
	if (uri == NULL)
		abort();
	int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN, uri);
	if (result != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri))
		(void)err_set(
			err, ERR_CONFIG, "The token's URI is not a PKCS#11 token URI (RFC 7512).");
	else if (p11_kit_uri_get_pin_value(uri) != NULL || p11_kit_uri_get_pin_source(uri) != NULL)
		(void)err_set(
			err, ERR_CONFIG, "The token's URI carries a PIN; use pin-source instead.");
	else
		return uri;
	p11_kit_uri_free(uri);
	return NULL;
}

static bool
ambiguous(const struct module_info *first, const struct module_info *second, struct err *err)
{
	return err_set(err, ERR_TOKEN_AMBIGUOUS,
		"The URI matches two tokens, label '%s' serial '%s' and label '%s' serial '%s'; "
		"make it name one.",
		first->label, first->serial, second->label, second->serial);
}

/* A software token, whatever it is called, does not claim to be a device (PKCS#11 3.0 §3.2). */
static void
note_hardware(struct module *module)
{
	CK_SLOT_INFO slot;
	module->hardware = module->ck->C_GetSlotInfo(module->slot, &slot) == CKR_OK &&
			   (slot.flags & CKF_HW_SLOT) != 0;
	if (module->hardware)
		module->info.flags |= MODULE_HARDWARE;
}

/* Walks the slots; a slot that cannot tell about its token is as good as empty. */
static bool
match_slots(struct module *module, P11KitUri *uri, const CK_SLOT_ID *slots, CK_ULONG count,
	struct err *err)
{
	bool found = false;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO token;
		if (module->ck->C_GetTokenInfo(slots[i], &token) != CKR_OK ||
			(token.flags & CKF_TOKEN_INITIALIZED) == 0 ||
			!p11_kit_uri_match_token_info(uri, &token))
			continue;
		struct module_info first = module->info;
		fill_info(module, &token);
		if (found)
			return ambiguous(&first, &module->info, err);
		module->slot = slots[i];
		found = true;
	}
	if (found)
		note_hardware(module);
	if (!found)
		return err_set(
			err, ERR_UNAVAILABLE, "No token matches the URI; is the device connected?");
	return true;
}

bool
module_find_token(struct module *module, const char *text, struct err *err)
{
	P11KitUri *uri = parse_uri(text, err);
	if (uri == NULL)
		return false;
	static const char function[] = "C_GetSlotList";
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	CK_RV rv = module->ck->C_GetSlotList(CK_TRUE, slots, &count);
	bool found = false;
	if (rv != CKR_OK)
		(void)ckr_set(err, function, rv);
	else if (count > SLOTS_MAX)
		(void)ckr_set(err, function, CKR_GENERAL_ERROR);
	else
		found = match_slots(module, uri, slots, count, err);
	p11_kit_uri_free(uri);
	return found;
}

const struct module_info *
module_get_info(const struct module *module)
{
	return &module->info;
}

bool
module_refresh_info(struct module *module, struct err *err)
{
	CK_TOKEN_INFO token;
	CK_RV rv = module->ck->C_GetTokenInfo(module->slot, &token);
	if (rv != CKR_OK)
		return ckr_set(err, "C_GetTokenInfo", rv);
	fill_info(module, &token);
	if (module->hardware)
		module->info.flags |= MODULE_HARDWARE;
	return true;
}
