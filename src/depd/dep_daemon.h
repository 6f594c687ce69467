/* depd's life: everything made in order, run, reloaded, drained, freed. */
#pragma once

#include "base/err.h"
#include "depd/depd.h"

/*
 * Loads the configuration, opens catalog, audit and socket. Neither custodyd need run: what they are needed for is tried
 * until they do. ERR_CONFIG, ERR_CATALOG_LOCKED (another depd runs) and the storage errors: nothing is left running. Blocking.
 */
struct depd *dep_daemon_new(const char *config_path, struct err *err) MUST_USE;
/* Serves until SIGTERM or SIGINT was handled and everything in flight is answered or timed out. */
bool dep_daemon_run(struct depd *depd, struct err *err) MUST_USE;
void dep_daemon_free(struct depd *depd);
