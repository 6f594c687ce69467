/* Invariant: an envelope is never made of fewer than two keys on two tokens, whatever fails on the way. */
#include "dual_maker.h"

#include <string.h>

#include "custodyd/key_call.h"
#include "custodyd/rollback.h"
#include "wire/wire.h"

void
dual_maker_init(struct dual_maker *maker, struct call *call)
{
	*maker = (struct dual_maker){.call = call};
}

void
dual_maker_clear(struct dual_maker *maker)
{
	for (size_t i = 0; i < DUAL_KEYS; i++)
		maker->keys[i] = key_version_unref(maker->keys[i]);
	envelope_free(maker->envelope);
	secret_free(maker->cek);
}

static struct key_version *
resolve(struct call *call, const char *text, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	struct kid kid;
	if (!kid_parse(text, &kid))
		return err_set(err, ERR_BAD_PARAMETER,
			       "A key id is https://<vault>.<suffix>/keys/<name> with or without "
			       "/<version>."),
		       NULL;
	if (!rollback_check(daemon, kid.vault, kid.name, err))
		return NULL;
	const struct db_vault *vault = vaults_find(daemon->vaults, kid.vault);
	if (vault == NULL)
		return err_set(err, ERR_FORBIDDEN, NULL),
		       NULL; /* as for one that the caller may not use */
	if (!access_check(daemon->access, &call->caller, vault->id, PERMISSION_WRAP_KEY, err))
		return NULL;
	char url[256];
	keystore_vault_url(daemon->keys, vault->name, url);
	if (strcmp(url + strlen("https://"), kid.host) != 0)
		return err_set(err, ERR_BAD_PARAMETER, "The key id names another host than %s.",
			       url),
		       NULL;
	return keystore_get(daemon->keys, vault, kid.name, kid.version, err);
}

static bool
check_type(const struct key_version *key, struct err *err)
{
	static const uint8_t f4[] = {1, 0, 1}; /* 65537, threats A12 */
	if (key->type == ALG_KEY_RSA) {
		if (!bytes_equal(pubkey_get_e(key->pubkey), (struct bytes){f4, sizeof(f4)}))
			return err_set(err, ERR_BAD_PARAMETER,
				"Key %s has a public exponent other than 65537.", key->key.name);
		return true;
	}
	if (key->type == ALG_KEY_OCT && key->version.bits == 256 &&
		(key->version.ops_born & ALG_WRAP) != 0)
		return true;
	return err_set(err, ERR_BAD_PARAMETER,
		"Key %s cannot be in an envelope: RSA keys and 256-bit oct keys that wrap can.",
		key->key.name);
}

static void
warn(struct dual_maker *maker, const struct key_version *key)
{
	if ((key->version.ops & ~(uint32_t)ALG_WRAPS) != 0)
		maker->warnings[maker->warning_count++] = arena_printf(maker->call->arena,
			"Key %s can do more than wrap and unwrap; keys for envelopes should not.",
			key->kid);
	if (key->type == ALG_KEY_RSA && key->version.bits < 3072)
		maker->warnings[maker->warning_count++] = arena_printf(maker->call->arena,
			"Key %s has %d bits, about 112 bits of strength; 3072 bits are advised.",
			key->kid, key->version.bits);
}

static bool
check_pair(const struct dual_maker *maker, struct err *err)
{
	const struct key_version *a = maker->keys[0];
	const struct key_version *b = maker->keys[1];
	if (a->vault.id == b->vault.id)
		return err_set(err, ERR_SAME_VAULT, NULL);
	if (strcmp(a->vault.token, b->vault.token) == 0)
		return err_set(err, ERR_SAME_TOKEN, NULL);
	/* One public key under two names would be one failure (threats B24). */
	if (memcmp(a->version.fingerprint, b->version.fingerprint,
		    sizeof(a->version.fingerprint)) == 0)
		return err_set(err, ERR_SAME_TOKEN, "The two keys are one key.");
	return true;
}

bool
dual_maker_choose(struct dual_maker *maker, const char *const kids[DUAL_KEYS])
{
	struct call *call = maker->call;
	struct custodyd *daemon = call->task.daemon;
	int64_t now_s = calendar_now_s(daemon->calendar);
	for (size_t i = 0; i < DUAL_KEYS; i++) {
		maker->keys[i] = resolve(call, kids[i], &call->err);
		if (maker->keys[i] == NULL ||
			!key_check_state(maker->keys[i], ALG_WRAP, now_s, &call->err) ||
			!check_type(maker->keys[i], &call->err))
			return false;
	}
	if (!check_pair(maker, &call->err))
		return false;
	for (size_t i = 0; i < DUAL_KEYS; i++) {
		if (!keystore_prove(daemon->keys, maker->keys[i], &call->err))
			return false;
		warn(maker, maker->keys[i]);
	}
	return true;
}

static bool
ask_wrap(struct dual_maker *maker, size_t i)
{
	const struct key_version *key = maker->keys[i];
	struct wire_encrypt_request wire = {
		.alg = WIRE_ALG_A256KW, .data = secret_bytes(maker->cek)};
	memcpy(wire.id, key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, key->version.fingerprint, sizeof(wire.fingerprint));
	struct token_job job = {.type = WIRE_ENCRYPT, .request = &wire, .kind = key->cost};
	if (!call_ask(maker->call, key->vault.token, &job, DUAL_WRAP_SLOT + (unsigned)i))
		return false;
	maker->waiting++;
	return true;
}

bool
dual_maker_make(struct dual_maker *maker, struct bytes context, const struct secret *plaintext)
{
	struct err *err = &maker->call->err;
	struct envelope_key keys[DUAL_KEYS];
	for (size_t i = 0; i < DUAL_KEYS; i++) {
		memcpy(keys[i].kid, maker->keys[i]->kid, sizeof(keys[i].kid));
		keys[i].alg = maker->keys[i]->type == ALG_KEY_RSA ? ALG_RSA_OAEP_256 : ALG_A256KW;
	}
	maker->envelope = envelope_make(keys, DUAL_KEYS, context, plaintext, &maker->cek, err);
	if (maker->envelope == NULL)
		return false;
	for (size_t i = 0; i < DUAL_KEYS; i++) {
		bool done = keys[i].alg == ALG_RSA_OAEP_256
				    ? envelope_wrap(maker->envelope, i, maker->keys[i]->pubkey,
					      maker->cek, err)
				    : ask_wrap(maker, i);
		if (!done)
			return false;
	}
	return true;
}

void
dual_maker_take(struct dual_maker *maker, unsigned slot, const struct token_answer *answer)
{
	struct err *err = &maker->call->err;
	maker->waiting--;
	if (answer->err != NULL) {
		*err = *answer->err;
		return;
	}
	const struct wire_encrypt_answer *fields = answer->fields;
	if (!envelope_set_key(maker->envelope, slot - DUAL_WRAP_SLOT, fields->data, err))
		(void)err_set(err, ERR_UNAVAILABLE, "The token's answer cannot be right.");
}

bool
dual_maker_ready(const struct dual_maker *maker)
{
	return maker->waiting == 0;
}

struct bytes
dual_maker_text(struct dual_maker *maker)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, ENVELOPE_TEXT_MAX);
	if (!envelope_format(maker->envelope, &text, &maker->call->err))
		return (struct bytes){0};
	return arena_bytes(maker->call->arena, text.data, text.len);
}
