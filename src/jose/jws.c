/* Invariant: nothing of a payload is given away before its signature verified. */
#include "jws.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"

#define HEAD       "{\"alg\":\"ES256\",\"kid\":\""
#define TAIL       "\"}"
#define HEADER_MAX (sizeof(HEAD) + JWS_KID_MAX + sizeof(TAIL))

static bool
is_kid(const char *kid, size_t len)
{
	if (len == 0 || len > JWS_KID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (kid[i] <= ' ' || kid[i] > '~' || kid[i] == '"' || kid[i] == '\\')
			return false;
	return true;
}

void
jws_begin(const char *kid, struct bytes payload, struct buf *out,
	uint8_t digest[static HASH_SHA256_LEN])
{
	char header[HEADER_MAX];
	size_t start = out->len;
	assert(is_kid(kid, strlen(kid)));
	int len = snprintf(header, sizeof(header), HEAD "%s" TAIL, kid);
	(void)(b64_append(out, header, (size_t)len) && buf_append(out, ".", 1) &&
		b64_append(out, payload.data, payload.len));
	hash_sha256(out->data + start, out->len - start, digest);
}

void
jws_end(const uint8_t signature[static JWS_SIGNATURE_LEN], struct buf *out)
{
	(void)(buf_append(out, ".", 1) && b64_append(out, signature, JWS_SIGNATURE_LEN));
}

/* ---- verifying ---- */

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_SIGNATURE_REFUSED, "%s", why);
}

struct part {
	const char *text;
	size_t len;
};

/* Three parts, and no dot more. */
static bool
split(struct bytes text, struct part parts[static 3])
{
	const char *at = (const char *)text.data;
	const char *end = at + text.len;
	for (size_t i = 0; i < 3; i++) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		if ((dot == NULL) != (i == 2))
			return false;
		parts[i] = (struct part){at, (size_t)((dot != NULL ? dot : end) - at)};
		at = dot != NULL ? dot + 1 : end;
	}
	return true;
}

static bool
read_header(struct part part, char kid[static JWS_KID_MAX + 1])
{
	char header[HEADER_MAX];
	size_t len;
	const size_t head = sizeof(HEAD) - 1, tail = sizeof(TAIL) - 1;
	if (b64_decoded_max(part.len) > sizeof(header) ||
		!b64_decode(part.text, part.len, header, &len) || len < head + tail ||
		memcmp(header, HEAD, head) != 0 || memcmp(header + len - tail, TAIL, tail) != 0 ||
		!is_kid(header + head, len - head - tail))
		return false;
	memcpy(kid, header + head, len - head - tail);
	kid[len - head - tail] = '\0';
	return true;
}

static bool
is_signed(struct bytes text, struct part part, const struct pubkey *pubkey, struct err *err)
{
	uint8_t signature[JWS_SIGNATURE_LEN + 2], digest[HASH_SHA256_LEN];
	size_t len;
	bool valid = false;
	if (b64_decoded_max(part.len) > sizeof(signature) ||
		!b64_decode(part.text, part.len, signature, &len) || len != JWS_SIGNATURE_LEN ||
		pubkey_get_type(pubkey) != PUBKEY_EC || pubkey_get_curve(pubkey) != CURVE_P256)
		return false;
	hash_sha256(text.data, text.len - part.len - 1, digest);
	return pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, HASH_SHA256,
		       (struct bytes){digest, sizeof(digest)}, (struct bytes){signature, len},
		       &valid, err) &&
	       valid;
}

bool
jws_verify(struct bytes text, const struct pubkey *pubkey, char kid[static JWS_KID_MAX + 1],
	struct buf *payload, struct err *err)
{
	struct part parts[3];
	if (text.len == 0 || !split(text, parts) || !read_header(parts[0], kid))
		return refuse(err, "This is no compact JWS of ours.");
	if (!is_signed(text, parts[2], pubkey, err))
		return refuse(err, "This was not signed by this key.");
	size_t len;
	uint8_t *room = buf_reserve(payload, b64_decoded_max(parts[1].len));
	if (room == NULL)
		return err_set(err, ERR_TOO_LARGE, NULL);
	if (!b64_decode(parts[1].text, parts[1].len, room, &len))
		return refuse(err, "This is no compact JWS of ours.");
	buf_add_len(payload, len);
	return true;
}
