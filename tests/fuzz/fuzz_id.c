/* Identifiers and base64url: what is accepted has one spelling, so writing it again gives the input. */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/id.h"

static void
check_kid(const char *text)
{
	struct kid kid;
	if (!kid_parse(text, &kid))
		return;
	char again[1024];
	(void)snprintf(again, sizeof(again), "https://%s/keys/%s%s%s", kid.host, kid.name,
		kid.version[0] == '\0' ? "" : "/", kid.version);
	assert(strcmp(again, text) == 0);
	assert(id_vault_name_valid(kid.vault) && id_key_name_valid(kid.name));
	assert(strncmp(kid.host, kid.vault, strlen(kid.vault)) == 0);
}

static void
check_b64(const char *text, size_t len)
{
	uint8_t *octets = malloc(b64_decoded_max(len) + 1);
	size_t octets_len;
	assert(octets != NULL);
	if (b64_decode(text, len, octets, &octets_len)) {
		char *again = malloc(b64_encoded_len(octets_len) + 1);
		assert(again != NULL);
		b64_encode(octets, octets_len, again);
		assert(strlen(again) == len && memcmp(again, text, len) == 0);
		free(again);
	}
	free(octets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	assert(text != NULL);
	check_kid(text);
	check_b64((const char *)data, size);
	free(text);
	return 0;
}
