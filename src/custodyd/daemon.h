/* The daemon's life: everything made in order, run, reloaded, drained, freed. */
#pragma once

#include "base/err.h"
#include "custodyd/custodyd.h"

/*
 * Loads the configuration, opens catalog, audit and socket, starts the tokens' workers. ERR_CONFIG, ERR_CONFLICT (another
 * daemon runs) and the storage errors: nothing is left running. Blocking.
 */
struct custodyd *daemon_new(const char *config_path, struct err *err) MUST_USE;
/* Serves until SIGTERM or SIGINT was handled and everything in flight is answered or timed out. */
bool daemon_run(struct custodyd *daemon, struct err *err) MUST_USE;
void daemon_free(struct custodyd *daemon);
