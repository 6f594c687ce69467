/*
 * The baseline: one operation with one key of a token by Cryptoki itself, again and again, in some threads.
 *
 *   bench-cryptoki MODULE TOKEN PIN-FILE LABEL OPERATION INPUT-FILE THREADS MILLISECONDS
 *
 * Prints operations a second and their p50 and p99 in microseconds, without those of the first eighth of the time.
 * With the module p11-kit-client.so the same goes through `p11-kit server`.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "base/attr.h"
#include "bench/samples.h"
#include "pkcs11/ck.h"

#define SLOTS_MAX   16
#define THREADS_MAX 64
#define OCTETS_MAX  1024

struct target {
	CK_FUNCTION_LIST *ck;
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	unsigned char input[OCTETS_MAX];
	CK_ULONG input_len;
};

struct runner {
	pthread_t thread;
	struct target *target;
	CK_SESSION_HANDLE session;
	const struct operation *operation;
	int64_t from_us, until_us; /* measured between */
	struct samples samples;
};

static void
check(CK_RV rv, const char *function)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "CKR 0x%lx", rv);
	if (rv != CKR_OK)
		samples_die(function, text);
}

/* --- what is measured --- */

static void
decrypt_rsa(struct runner *runner)
{
	CK_FUNCTION_LIST *ck = runner->target->ck;
	CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
	unsigned char out[OCTETS_MAX];
	CK_ULONG len = sizeof(out);
	check(ck->C_DecryptInit(runner->session, &mechanism, runner->target->key), "C_DecryptInit");
	check(ck->C_Decrypt(
		      runner->session, runner->target->input, runner->target->input_len, out, &len),
		"C_Decrypt");
}

static void
sign(struct runner *runner, CK_MECHANISM_TYPE type)
{
	CK_FUNCTION_LIST *ck = runner->target->ck;
	CK_MECHANISM mechanism = {type, NULL, 0};
	unsigned char out[OCTETS_MAX];
	CK_ULONG len = sizeof(out);
	check(ck->C_SignInit(runner->session, &mechanism, runner->target->key), "C_SignInit");
	check(ck->C_Sign(
		      runner->session, runner->target->input, runner->target->input_len, out, &len),
		"C_Sign");
}

static void
sign_rsa(struct runner *runner)
{
	sign(runner, CKM_RSA_PKCS);
}

static void
sign_ec(struct runner *runner)
{
	sign(runner, CKM_ECDSA);
}

/* A token gives an unwrapped key's octets by way of a session object only. */
static void
unwrap_aes(struct runner *runner)
{
	CK_FUNCTION_LIST *ck = runner->target->ck;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS,       &class, sizeof(class)},
		{CKA_KEY_TYPE,    &type,  sizeof(type) },
		{CKA_TOKEN,       &no,    sizeof(no)   },
		{CKA_SENSITIVE,   &no,    sizeof(no)   },
		{CKA_EXTRACTABLE, &yes,   sizeof(yes)  },
	};
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE object;
	check(ck->C_UnwrapKey(runner->session, &mechanism, runner->target->key,
		      runner->target->input, runner->target->input_len, attributes,
		      ARRAY_LEN(attributes), &object),
		"C_UnwrapKey");
	unsigned char out[OCTETS_MAX];
	CK_ATTRIBUTE value = {CKA_VALUE, out, sizeof(out)};
	check(ck->C_GetAttributeValue(runner->session, object, &value, 1), "C_GetAttributeValue");
	check(ck->C_DestroyObject(runner->session, object), "C_DestroyObject");
}

static const struct operation {
	const char *name;
	CK_OBJECT_CLASS class;
	void (*run)(struct runner *runner);
} operations[] = {
	{"rsa-decrypt", CKO_PRIVATE_KEY, decrypt_rsa},
	{"rsa-sign",    CKO_PRIVATE_KEY, sign_rsa   },
	{"ec-sign",     CKO_PRIVATE_KEY, sign_ec    },
	{"aes-unwrap",  CKO_SECRET_KEY,  unwrap_aes },
};

static const struct operation *
operation_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	}
	samples_die(name, "no such operation");
}

/* --- token and key --- */

static CK_ULONG
read_file(const char *path, unsigned char octets[static OCTETS_MAX])
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		samples_die(path, "cannot be read");
	size_t len = fread(octets, 1, OCTETS_MAX, file);
	(void)fclose(file);
	return len;
}

static void
load_module(struct target *target, const char *module)
{
	target->ck = p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED);
	if (target->ck == NULL)
		samples_die(module, "cannot be loaded");
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	check(target->ck->C_Initialize(&args), "C_Initialize");
}

static void
find_slot(struct target *target, const char *label)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	check(target->ck->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		target->slot = slots[i];
		check(target->ck->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
		if (strncmp((const char *)info.label, label, strlen(label)) == 0)
			return;
	}
	samples_die(label, "no such token");
}

static CK_SESSION_HANDLE
open_session(const struct target *target)
{
	CK_SESSION_HANDLE session;
	check(target->ck->C_OpenSession(
		      target->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
		"C_OpenSession");
	return session;
}

static void
find_key(struct target *target, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, char *label)
{
	CK_ATTRIBUTE attributes[] = {
		{CKA_CLASS, &class, sizeof(class)},
                {CKA_LABEL, label,  strlen(label)}
        };
	CK_ULONG count = 0;
	check(target->ck->C_FindObjectsInit(session, attributes, ARRAY_LEN(attributes)),
		"C_FindObjectsInit");
	check(target->ck->C_FindObjects(session, &target->key, 1, &count), "C_FindObjects");
	check(target->ck->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	if (count == 0)
		samples_die(label, "no such key");
}

/* --- threads --- */

static void *
run(void *data)
{
	struct runner *runner = data;
	int64_t begin_us = samples_now_us();
	while (begin_us < runner->until_us) {
		runner->operation->run(runner);
		int64_t end_us = samples_now_us();
		if (end_us >= runner->from_us && end_us < runner->until_us)
			samples_add(&runner->samples, end_us - begin_us);
		begin_us = end_us;
	}
	return NULL;
}

static void
measure(struct target *target, const struct operation *operation, unsigned threads, int64_t time_us)
{
	struct runner runners[THREADS_MAX];
	struct samples all = {0};
	int64_t start_us = samples_now_us();
	for (unsigned i = 0; i < threads; i++) {
		runners[i] = (struct runner){.target = target,
			.session = open_session(target),
			.operation = operation,
			.from_us = start_us + time_us / 8,
			.until_us = start_us + time_us};
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]) != 0)
			samples_die("pthread_create", "failed");
	}
	for (unsigned i = 0; i < threads; i++) {
		(void)pthread_join(runners[i].thread, NULL);
		samples_join(&all, &runners[i].samples);
		samples_clear(&runners[i].samples);
	}
	samples_report(&all, time_us - time_us / 8);
	samples_clear(&all);
}

int
main(int argc, char **argv)
{
	if (argc != 9)
		samples_die("usage", "see the head of cryptoki.c");
	struct target target = {0};
	unsigned char pin[OCTETS_MAX];
	unsigned threads = (unsigned)strtoul(argv[7], NULL, 10);
	if (threads == 0 || threads > THREADS_MAX)
		samples_die(argv[7], "no number of threads");
	const struct operation *operation = operation_find(argv[5]);
	load_module(&target, argv[1]);
	find_slot(&target, argv[2]);
	CK_SESSION_HANDLE session = open_session(&target);
	check(target.ck->C_Login(session, CKU_USER, pin, read_file(argv[3], pin)), "C_Login");
	find_key(&target, session, operation->class, argv[4]);
	target.input_len = read_file(argv[6], target.input);
	measure(&target, operation, threads, (int64_t)strtoul(argv[8], NULL, 10) * 1000);
	return 0;
}
