/* Internal to src/seal: libarchive's failures as ours. */
#pragma once

#include <archive.h>

#include "base/err.h"

/*
 * Sets `code` with libarchive's call and reason as origin; a full disk becomes ERR_STORAGE_FULL. For
 * ERR_CLIENT_FILE the sentence is the reason, as it names the file. Returns false.
 */
bool archive_err_set(
	struct err *err, enum err_code code, struct archive *archive, const char *call);
