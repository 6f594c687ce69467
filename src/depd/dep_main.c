/* depd(8): data encryption policies over the custody daemon. */
#include "api/api.h"
#include "depd/dep_daemon.h"
#include "service/host_main.h"

static bool
check(const char *config, struct err *err)
{
	struct dep_options *options = dep_options_load(config, err);
	bool good = options != NULL;
	dep_options_free(options);
	return good;
}

static struct host *
begin(const char *config, struct err *err)
{
	struct depd *depd = dep_daemon_new(config, err);
	return depd != NULL ? &depd->host : NULL;
}

static bool
run(struct host *host, struct err *err)
{
	return dep_daemon_run((struct depd *)host, err);
}

static void
end(struct host *host)
{
	dep_daemon_free((struct depd *)host);
}

int
main(int argc, char **argv)
{
	static const struct host_program program = {
		.name = "depd",
		.config = SYSCONFDIR "/custody/depd.conf",
		.check = check,
		.begin = begin,
		.run = run,
		.end = end,
	};
	api_memory_init();
	return host_main(&program, argc, argv);
}
