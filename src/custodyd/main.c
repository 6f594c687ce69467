/* custodyd(8): the key-custody daemon. */
#include "api/api.h"
#include "custodyd/daemon.h"
#include "service/host_main.h"

static bool
check(const char *config, struct err *err)
{
	struct options *options = options_load(config, err);
	bool good = options != NULL;
	options_free(options);
	return good;
}

static struct host *
begin(const char *config, struct err *err)
{
	struct custodyd *daemon = daemon_new(config, err);
	return daemon != NULL ? &daemon->host : NULL;
}

static bool
run(struct host *host, struct err *err)
{
	return daemon_run((struct custodyd *)host, err);
}

static void
end(struct host *host)
{
	daemon_free((struct custodyd *)host);
}

int
main(int argc, char **argv)
{
	static const struct host_program program = {
		.name = "custodyd",
		.config = SYSCONFDIR "/custody/custodyd.conf",
		.check = check,
		.begin = begin,
		.run = run,
		.end = end,
	};
	api_memory_init();
	return host_main(&program, argc, argv);
}
