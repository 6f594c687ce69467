/* Decoding happens after splitting, so an escaped separator never separates; it is refused in a path. */
#include "http/target.h"

#include <stdint.h>
#include <string.h>

#include "base/b64.h"

/* Decodes `len` characters in place and ends them by a NUL; false for a broken escape or a NUL. */
static bool
decode(char *text, size_t len)
{
	size_t out = 0;
	for (size_t in = 0; in < len; in++) {
		char c = text[in];
		if (c == '%') {
			int high = in + 2 < len ? hex_digit(text[in + 1]) : -1;
			int low = in + 2 < len ? hex_digit(text[in + 2]) : -1;
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high << 4 | low);
			in += 2;
		}
		text[out++] = c;
	}
	text[out] = '\0';
	return true;
}

static bool
segment_sane(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f || *c == '/')
			return false;
	}
	return strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool
param_sane(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			return false;
	}
	return true;
}

static bool
parse_path(char *path, struct target *target, struct err *err)
{
	while (path != NULL) {
		char *segment = path + 1; /* behind its slash */
		path = strchr(segment, '/');
		if (target->segment_count == HTTP_SEGMENTS_MAX)
			return err_set(err, ERR_NOT_FOUND, NULL);
		if (!decode(segment, path != NULL ? (size_t)(path - segment) : strlen(segment)) ||
			!segment_sane(segment))
			return err_set(err, ERR_BAD_PARAMETER,
				"The request URI contains an invalid name.");
		target->segments[target->segment_count++] = segment;
	}
	return true;
}

static bool
parse_query(char *query, struct target *target, struct err *err)
{
	while (query != NULL) {
		char *name = query;
		query = strchr(name, '&');
		if (query != NULL)
			*query++ = '\0';
		if (*name == '\0')
			continue;
		char *value = strchr(name, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = name + strlen(name);
		if (target->param_count == HTTP_PARAMS_MAX)
			return err_set(err, ERR_BAD_PARAMETER,
				"The request has too many query parameters.");
		if (!decode(name, strlen(name)) || !decode(value, strlen(value)) ||
			!param_sane(name) || !param_sane(value))
			return err_set(err, ERR_BAD_PARAMETER, "A query parameter is malformed.");
		target->params[target->param_count++] = (struct target_param){name, value};
	}
	return true;
}

bool
target_parse(const char *text, struct arena *arena, struct target *ret_target, struct err *err)
{
	char *path = arena_strdup(arena, text);
	ret_target->segment_count = 0;
	ret_target->param_count = 0;
	if (*path != '/' || strchr(path, '#') != NULL)
		return err_set(err, ERR_BAD_PARAMETER, "The request URI is malformed.");
	char *query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	return parse_path(path, ret_target, err) && parse_query(query, ret_target, err);
}
