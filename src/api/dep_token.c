#include "dep_token.h"

#include <assert.h>
#include <string.h>

#define FORMAT 1
#define HEAD   4 /* format, kind, length */

size_t
dep_token_format(const struct dep_token *token, uint8_t octets[static DEP_TOKEN_MAX])
{
	size_t id_len = strlen(token->id);
	uint8_t *next = octets;
	assert(id_len > 0 && id_len <= DEP_TOKEN_SCOPE_MAX);
	*next++ = FORMAT;
	*next++ = (uint8_t)token->kind;
	*next++ = (uint8_t)(id_len >> 8);
	*next++ = (uint8_t)id_len;
	memcpy(next, token->id, id_len);
	next += id_len;
	memcpy(next, token->scope_key, DEP_TOKEN_GUID_LEN);
	next += DEP_TOKEN_GUID_LEN;
	memcpy(next, token->data_key, DEP_TOKEN_GUID_LEN);
	next += DEP_TOKEN_GUID_LEN;
	memcpy(next, token->wrapped, DEP_TOKEN_WRAP_LEN);
	return (size_t)(next - octets) + DEP_TOKEN_WRAP_LEN;
}

bool
dep_token_parse(struct bytes octets, struct dep_token *ret_token, struct err *err)
{
	const size_t behind_id = 2 * DEP_TOKEN_GUID_LEN + DEP_TOKEN_WRAP_LEN;
	const uint8_t *next = octets.data;
	if (octets.len < HEAD + 1 + behind_id || next[0] != FORMAT || next[1] < KEYTREE_MAILBOX ||
		next[1] > KEYTREE_SITE)
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	size_t id_len = (size_t)next[2] << 8 | next[3];
	if (id_len == 0 || id_len > DEP_TOKEN_SCOPE_MAX ||
		octets.len != HEAD + id_len + behind_id ||
		memchr(next + HEAD, '\0', id_len) != NULL)
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	*ret_token = (struct dep_token){.kind = (enum keytree_scope_kind)next[1]};
	next += HEAD;
	memcpy(ret_token->id, next, id_len);
	next += id_len;
	memcpy(ret_token->scope_key, next, DEP_TOKEN_GUID_LEN);
	next += DEP_TOKEN_GUID_LEN;
	memcpy(ret_token->data_key, next, DEP_TOKEN_GUID_LEN);
	next += DEP_TOKEN_GUID_LEN;
	memcpy(ret_token->wrapped, next, DEP_TOKEN_WRAP_LEN);
	return true;
}
