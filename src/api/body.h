/* Internal to src/api: how the tables of bodies are written. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "json/json.h"

/* A row of a struct json_field table: FIELD(struct, member, "name", KIND, .flags = …, .max = …). */
#define FIELD(type, member, text, suffix, ...)                                                     \
	{                                                                                          \
		.name = (text), .kind = JSON_KIND_##suffix, .offset = offsetof(type, member),      \
		__VA_ARGS__                                                                        \
	}

/* struct json_table <table> of <rows>: ignores unknown members, as the dialect does, or refuses them, as our own routes do. */
#define TABLE(table, rows, type, refuse)                                                           \
	static const struct json_table table = {.fields = rows,                                    \
		.count = ARRAY_LEN(rows),                                                          \
		.size = sizeof(type),                                                              \
		.refuse_unknown = (refuse)}
