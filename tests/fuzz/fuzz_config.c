/* The configuration file: whatever is in it, it is taken whole or refused with its line. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

struct section {
	char *path;
	char *list;
	bool flag;
	int64_t count;
	int64_t wait_ms;
	int64_t size_bytes;
};

#define ROW(key, type, member, min, max, initial)                                                  \
	{                                                                                          \
		"custodyd", key, CONFIG_##type, offsetof(struct section, member), min, max,        \
			initial, true, "help"                                                      \
	}

static const struct config_option options[] = {
	ROW("path", PATH, path, 0, 0, "/x"),
	ROW("list", LIST, list, 0, 0, NULL),
	ROW("flag", BOOL, flag, 0, 0, "no"),
	ROW("count", INTEGER, count, 1, 100, "5"),
	ROW("wait", DURATION, wait_ms, 100, 86400000, "1s"),
	ROW("size", SIZE, size_bytes, 1, 1 << 30, "64K"),
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct err err = {0};
	struct section section = {0};
	assert(text != NULL);
	CLEAN(config)
	struct config *config = config_parse("fuzz.conf", text, &err);
	free(text);
	if (config == NULL) {
		assert(err.code == ERR_CONFIG && strncmp(err.message, "fuzz.conf:", 10) == 0);
		return 0;
	}
	bool known = config_check_known(config, options, ARRAY_LEN(options), &err);
	assert(known || err.code == ERR_CONFIG);
	if (config_apply(config, "custodyd", "", options, ARRAY_LEN(options), &section, &err)) {
		assert(section.path[0] == '/');
		assert(section.count >= 1 && section.count <= 100);
		assert(section.wait_ms >= 100 && section.wait_ms <= 86400000);
		assert(section.size_bytes >= 1 && section.size_bytes <= 1 << 30);
	}
	config_release("custodyd", options, ARRAY_LEN(options), &section);
	return 0;
}
