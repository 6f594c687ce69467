#include "id.h"

#include <string.h>

#include "b64.h"

static bool
all_of(const char *text, size_t len, const char *alphabet)
{
	return strspn(text, alphabet) >= len;
}

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool
id_vault_name_valid(const char *name)
{
	size_t len = strlen(name);
	if (len < ID_VAULT_NAME_MIN || len > ID_VAULT_NAME_MAX)
		return false;
	if (!all_of(name, len, DIGITS LOWER UPPER "-") || strstr(name, "--") != NULL)
		return false;
	return strchr(LOWER UPPER, name[0]) != NULL && name[len - 1] != '-';
}

bool
id_key_name_valid(const char *name)
{
	size_t len = strlen(name);
	return len >= 1 && len <= ID_KEY_NAME_MAX && all_of(name, len, DIGITS LOWER UPPER "-");
}

bool
id_token_name_valid(const char *name)
{
	size_t len = strlen(name);
	return len >= 1 && len <= 32 && all_of(name, len, DIGITS LOWER "-");
}

bool
id_uuid_valid(const char *text)
{
	if (strlen(text) != ID_UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < ID_UUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : strchr(DIGITS "abcdefABCDEF", text[i]) == NULL)
			return false;
	}
	return true;
}

void
id_uuid_format(const uint8_t random[static 16], char text[static ID_UUID_TEXT])
{
	uint8_t octets[16];
	memcpy(octets, random, sizeof(octets));
	octets[6] = (uint8_t)((octets[6] & 0x0f) | 0x40); /* version 4 */
	octets[8] = (uint8_t)((octets[8] & 0x3f) | 0x80); /* variant 10 */
	char hex[33];
	hex_encode(octets, sizeof(octets), hex);
	size_t out = 0;
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			text[out++] = '-';
		text[out++] = hex[i];
	}
	text[out] = '\0';
}

bool
id_uuid_parse(const char *text, uint8_t octets[static 16])
{
	char folded[ID_UUID_TEXT], hex[33];
	size_t out = 0;
	if (!id_uuid_valid(text))
		return false;
	id_fold(text, folded);
	for (const char *from = folded; *from != '\0'; from++)
		if (*from != '-')
			hex[out++] = *from;
	hex[out] = '\0';
	return hex_decode(hex, octets, 16);
}

void
id_fold(const char *text, char *folded)
{
	for (; *text != '\0'; text++)
		*folded++ = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
	*folded = '\0';
}

/* Copies the part up to `end` if it fits, else false. */
static bool
copy_part(const char *start, const char *end, char *target, size_t size)
{
	size_t len = (size_t)(end - start);
	if (len == 0 || len >= size)
		return false;
	memcpy(target, start, len);
	target[len] = '\0';
	return true;
}

static bool
parse_host(const char *start, const char *end, struct kid *kid)
{
	if (!copy_part(start, end, kid->host, sizeof(kid->host)))
		return false;
	size_t len = strlen(kid->host);
	if (!all_of(kid->host, len, DIGITS LOWER "-."))
		return false;
	if (strstr(kid->host, "..") != NULL || kid->host[len - 1] == '.')
		return false; /* DNS takes a last dot, a canonical spelling has none */
	const char *dot = strchr(start, '.');
	if (dot == NULL || dot > end)
		dot = end;
	return copy_part(start, dot, kid->vault, sizeof(kid->vault)) &&
	       id_vault_name_valid(kid->vault);
}

bool
kid_parse(const char *text, struct kid *ret_kid)
{
	static const char scheme[] = "https://";
	struct kid kid = {0};
	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return false;
	const char *host = text + sizeof(scheme) - 1;
	const char *path = strchr(host, '/');
	if (path == NULL || !parse_host(host, path, &kid) || strncmp(path, "/keys/", 6) != 0)
		return false;
	const char *name = path + 6;
	const char *end = strchrnul(name, '/');
	if (!copy_part(name, end, kid.name, sizeof(kid.name)) || !id_key_name_valid(kid.name))
		return false;
	uint8_t version[ID_VERSION_BYTES];
	if (*end == '/') {
		if (!hex_decode(end + 1, version, sizeof(version)))
			return false;
		memcpy(kid.version, end + 1, ID_VERSION_TEXT);
	}
	*ret_kid = kid;
	return true;
}
