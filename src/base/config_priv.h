/* What reading a configuration and setting options from it share. */
#pragma once

#include "config.h"

/* A copy on the heap. */
char *config_text(const char *text);
/* The entry of a section with that key, "" for the section's own line; NULL if there is none. */
const struct config_entry *config_find(
	const struct config *config, const char *kind, const char *name, const char *key);
