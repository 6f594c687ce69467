/* The catalog as files: who owns them, where they lie, who has them locked, the reserve. Internal to src/db. */
#pragma once

#include "db.h"

/*
 * Opens or makes (0600, directory synced) the catalog's file, checks it and what SQLite keeps beside it, and locks it
 * without waiting. ret_fd holds the lock until it is closed. Errors: ERR_CONFIG, ERR_CATALOG_LOCKED, ERR_STORAGE….
 */
bool db_file_lock(const struct db_settings *settings, int *ret_fd, struct err *err) MUST_USE;

/* Makes <path>.reserve of `size` octets, really allocated, if it is not there; removes it. */
bool db_file_reserve(const char *path, int64_t size, struct err *err) MUST_USE;
bool db_file_release(const char *path); /* false: there was none */
/* Room for `size` octets twice: to have it back, and something else still fits. */
bool db_file_has_room(const char *path, int64_t size);

/* Drops what the kernel remembers of the files, so that the next read shows what the disk has (threats D3). */
void db_file_forget(int fd, const char *path);
