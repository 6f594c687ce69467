/* depd(8): data encryption policies over the custody daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "depd/dep_daemon.h"

#define SECRET_HEAP_BYTES (4 << 20)

static void
usage(FILE *out)
{
	(void)fputs("Usage: depd [--config FILE] [--check]\n"
		    "\n"
		    "  -c, --config FILE  configuration (default " SYSCONFDIR
		    "/custody/depd.conf)\n"
		    "      --check        check the configuration and leave\n"
		    "  -h, --help         this text\n"
		    "  -V, --version      version\n"
		    "\n"
		    "See depd(8) and depd.conf(5).\n",
		out);
}

static int
check(const char *config)
{
	struct err err = {0};
	struct dep_options *options = dep_options_load(config, &err);
	if (options == NULL) {
		(void)fprintf(stderr, "depd: %s\n", err.message);
		return EXIT_FAILURE;
	}
	dep_options_free(options);
	(void)printf("%s: good\n", config);
	return EXIT_SUCCESS;
}

static int
serve(const char *config)
{
	struct err err = {0};
	secret_process_harden();
	api_memory_init();
	if (!secret_heap_init(SECRET_HEAP_BYTES))
		log_warning("secrets.not-locked", LOG_TEXT("raise", "RLIMIT_MEMLOCK"));
	if (!crypto_init(&err)) {
		log_err(LOG_LEVEL_ERROR, "start.failed", &err, LOG_TEXT("config", config));
		return EXIT_FAILURE;
	}
	struct depd *depd = dep_daemon_new(config, &err);
	if (depd == NULL) {
		log_err(LOG_LEVEL_ERROR, "start.failed", &err, LOG_TEXT("config", config));
		return EXIT_FAILURE;
	}
	bool clean = dep_daemon_run(depd, &err);
	if (!clean)
		log_err(LOG_LEVEL_ERROR, "loop.failed", &err, LOG_TEXT("config", config));
	dep_daemon_free(depd);
	crypto_clear();
	log_info("stopped", LOG_TEXT("config", config));
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config",     required_argument, NULL, 'c'},
		{"check",        no_argument, NULL, 'k'},
		{"help",            no_argument, NULL, 'h'},
		{"version",no_argument, NULL, 'V'},
		{0        },
	};
	const char *config = SYSCONFDIR "/custody/depd.conf";
	bool check_only = false;
	int choice;
	while ((choice = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (choice) {
		case 'c':
			config = optarg;
			break;
		case 'k':
			check_only = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)puts(PACKAGE_STRING);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	return check_only ? check(config) : serve(config);
}
