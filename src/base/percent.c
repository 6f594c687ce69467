#include "percent.h"

#include <string.h>

bool
percent_append(struct buf *path, const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@";
	bool room = true;
	while (*name != '\0' && room) {
		size_t len = strspn(name, plain);
		if (len > 0)
			room = buf_append(path, name, len);
		else
			room = buf_printf(path, "%%%02X", (unsigned char)name[len++]);
		name += len;
	}
	return room;
}
