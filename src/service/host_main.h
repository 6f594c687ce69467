/* The main function of a daemon: its options on the command line, its process hardened, its life from begin to end. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct host;

struct host_program {
	const char *name;   /* "custodyd": of the program and its manual pages */
	const char *config; /* the file that is read without --config */
	/* --check: whether the configuration is good. Blocking. */
	bool (*check)(const char *config, struct err *err);
	/* NULL: it did not start and nothing is left running. Blocking. */
	struct host *(*begin)(const char *config, struct err *err);
	/* Until it was told to end; false: the loop failed. */
	bool (*run)(struct host *host, struct err *err);
	void (*end)(struct host *host);
};

/* The exit status. Complains on standard error: as a person is told with --check, as a log otherwise. */
int host_main(const struct host_program *program, int argc, char **argv) MUST_USE;
