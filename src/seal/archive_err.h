/* Internal to src/seal: libarchive's failures as ours. */
#pragma once

#include <archive.h>

#include "base/err.h"

/*
 * Sets `code` with libarchive's call and reason as origin; a full disk becomes ERR_STORAGE_FULL. The reason may
 * name files: for the log only. Returns false.
 */
bool archive_err_set(
	struct err *err, enum err_code code, struct archive *archive, const char *call);
