/* depd's state, passed down everywhere; there is no other. Who owns what: dep_daemon.c makes and frees all of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "client/async.h"
#include "db/db_dep.h"
#include "depd/dep_options.h"
#include "service/host.h"

struct custody_port;
struct dep_opener;
struct purger;
struct redundancy;
struct rewrapper;

struct depd {
	union { /* the members of the host can be named directly */
		struct host host;
		struct {
			HOST_MEMBERS
		};
	};
	const char *config_path;
	struct dep_options *options;
	struct async *owners;          /* the key owners' custodyd */
	struct async *service;         /* the service's own */
	struct custody_port *custody;  /* typed calls over both */
	struct dep_opener *opener;     /* opens DEP keys and keeps them */
	struct purger *purger;         /* carries out approved purges */
	struct redundancy *redundancy; /* checks that each of their keys opens generations */
	struct rewrapper *rewrapper;   /* moves scopes' keys to where they belong */
};

/* Notes an error for status, and logs it where it says that somebody must act. `subject` NULL: of no object. */
static inline void
depd_note(struct depd *depd, const char *event, const struct err *err, const char *subject)
{
	host_note(&depd->host, event, err, subject);
}
