#include "service/host_main.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/crypto.h"

#define SECRET_HEAP_BYTES (4 << 20)

static void
usage(const struct host_program *program, FILE *out)
{
	(void)fprintf(out,
		"Usage: %s [--config FILE] [--check]\n"
		"\n"
		"  -c, --config FILE  configuration (default %s)\n"
		"      --check        check the configuration and leave\n"
		"  -h, --help         this text\n"
		"  -V, --version      version\n"
		"\n"
		"See %s(8) and %s.conf(5).\n",
		program->name, program->config, program->name, program->name);
}

static int
check(const struct host_program *program, const char *config)
{
	struct err err = {0};
	if (!program->check(config, &err)) {
		(void)fprintf(stderr, "%s: %s\n", program->name, err.message);
		return EXIT_FAILURE;
	}
	(void)printf("%s: good\n", config);
	return EXIT_SUCCESS;
}

static int
serve(const struct host_program *program, const char *config)
{
	struct err err = {0};
	secret_process_harden();
	if (!secret_heap_init(SECRET_HEAP_BYTES))
		log_warning("secrets.not-locked", LOG_TEXT("raise", "RLIMIT_MEMLOCK"));
	struct host *host = crypto_init(&err) ? program->begin(config, &err) : NULL;
	if (host == NULL) {
		log_err(LOG_LEVEL_ERROR, "start.failed", &err, LOG_TEXT("config", config));
		return EXIT_FAILURE;
	}
	bool clean = program->run(host, &err);
	if (!clean)
		log_err(LOG_LEVEL_ERROR, "loop.failed", &err, LOG_TEXT("config", config));
	program->end(host);
	crypto_clear();
	log_info("stopped", LOG_TEXT("config", config));
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
host_main(const struct host_program *program, int argc, char **argv)
{
	static const struct option options[] = {
		{"config",     required_argument, NULL, 'c'},
		{"check",        no_argument, NULL, 'k'},
		{"help",            no_argument, NULL, 'h'},
		{"version",no_argument, NULL, 'V'},
		{0        },
	};
	const char *config = program->config;
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
			usage(program, stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)puts(PACKAGE_STRING);
			return EXIT_SUCCESS;
		default:
			usage(program, stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind < argc) {
		usage(program, stderr);
		return EXIT_FAILURE;
	}
	return check_only ? check(program, config) : serve(program, config);
}
