/*
 * $skiptoken: format number, position, MAC over all that the token is bound to. Invariant: what parses was made by this
 * catalog's key for this very list and caller.
 */
#include "skiptoken.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/buf.h"
#include "base/secret.h"
#include "crypto/hash.h"

#define FORMAT    1
#define KEY_BYTES 32
#define MAC_BYTES 16 /* of HMAC-SHA-256's 32: RFC 2104 §5 allows half */
#define RAW_MAX   (1 + SKIPTOKEN_POSITION_MAX + MAC_BYTES)

static_assert(SKIPTOKEN_TEXT_MAX > (RAW_MAX + 2) / 3 * 4, "the longest token fits");

/* Text and its end: no two scopes give the same octets. Names are ASCII and short, or they match no vault or key. */
static void
append_folded(struct buf *buf, const char *text)
{
	char folded[256];
	if (strlen(text) >= sizeof folded)
		text = "";
	id_fold(text, folded);
	(void)buf_append(buf, folded, strlen(folded) + 1); /* below the maximum */
}

static void
compute_mac(const struct skiptoken_scope *scope, const uint8_t *position, size_t len,
	uint8_t mac[static HASH_SHA256_LEN])
{
	static const char purpose[] = "custody paging token 1";
	CLEAN(buf)
	struct buf input;
	buf_init(&input, 4096);
	(void)buf_append(&input, purpose, sizeof purpose);
	(void)buf_printf(&input, "%d ", (int)scope->list);
	append_folded(&input, scope->vault);
	append_folded(&input, scope->subject);
	(void)buf_printf(&input, "%lld ", (long long)scope->caller->uid);
	append_folded(&input, scope->caller->application);
	(void)buf_append(&input, position, len);
	assert(!input.overflow);
	hash_hmac(HASH_SHA256, (struct bytes){scope->key, KEY_BYTES}, buf_bytes(&input), mac);
}

void
skiptoken_make(const struct skiptoken_scope *scope, const char *position,
	char text[static SKIPTOKEN_TEXT_MAX])
{
	size_t len = strlen(position);
	assert(len > 0 && len <= SKIPTOKEN_POSITION_MAX);
	uint8_t raw[RAW_MAX], mac[HASH_SHA256_LEN];
	raw[0] = FORMAT;
	memcpy(raw + 1, position, len);
	compute_mac(scope, raw + 1, len, mac);
	memcpy(raw + 1 + len, mac, MAC_BYTES);
	b64_encode(raw, 1 + len + MAC_BYTES, text);
}

static bool
fail(struct err *err)
{
	return err_set(
		err, ERR_BAD_PARAMETER, "The value of $skiptoken is not valid for this list.");
}

bool
skiptoken_parse(const struct skiptoken_scope *scope, const char *text,
	char ret_position[static SKIPTOKEN_POSITION_MAX + 1], struct err *err)
{
	size_t text_len = strlen(text), len;
	uint8_t raw[SKIPTOKEN_TEXT_MAX], mac[HASH_SHA256_LEN];
	if (text_len >= SKIPTOKEN_TEXT_MAX || !b64_decode(text, text_len, raw, &len))
		return fail(err);
	if (len < 1 + 1 + MAC_BYTES || len > RAW_MAX || raw[0] != FORMAT)
		return fail(err);
	size_t position_len = len - 1 - MAC_BYTES;
	compute_mac(scope, raw + 1, position_len, mac);
	if (!secret_equal_bytes(mac, raw + 1 + position_len, MAC_BYTES))
		return fail(err);
	memcpy(ret_position, raw + 1, position_len);
	ret_position[position_len] = '\0';
	return true;
}
