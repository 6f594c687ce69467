/*
 * dep-recover CATALOG ORGANIZATION MAILBOX OWNERS SERVICE: tries to get a mailbox's key out of a copy of depd's catalog, as somebody who
 * runs the service's host and may ask both custodyds for everything that it may (threats G14). Prints what opened it: "customer keys" or
 * "availability key"; or "nothing", after every generation in the catalog was tried both ways.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depd/keytree.h"
#include "jose/envelope.h"
#include "lib/custody/custody.h"

#define EXCHANGE                                                                                   \
	"00000002-0000-0ff1-ce00-000000000000" /* whom the owners let use their keys for mailboxes */

#define QUERY                                                                                      \
	"SELECT p.guid, g.guid, g.number, g.envelope, g.availability_kid, g.availability_wrap,"    \
	" s.name, s.key_id, s.wrapped FROM generation g JOIN policy p ON p.id = g.policy, scope s" \
	" WHERE p.kind = 2 AND s.kind = 1 AND s.name = ?1"

struct thief {
	const char *organization;
	struct custody_client *owners, *service;
	struct keytree_generation generation;
	struct keytree_scope scope;
	const char *envelope, *kid;
	struct custody_bytes wrap;
	const uint8_t *wrapped; /* NULL: the catalog has none */
};

static void
take_guid(sqlite3_stmt *row, int column, uint8_t guid[static KEYTREE_GUID_LEN])
{
	if (sqlite3_column_bytes(row, column) == KEYTREE_GUID_LEN)
		memcpy(guid, sqlite3_column_blob(row, column), KEYTREE_GUID_LEN);
}

static void
take_row(sqlite3_stmt *row, struct thief *thief)
{
	thief->generation = (struct keytree_generation){
		.organization = thief->organization,
		.number = (uint64_t)sqlite3_column_int64(row, 2),
	};
	thief->scope = (struct keytree_scope){
		.organization = thief->organization,
		.kind = KEYTREE_MAILBOX,
		.id = (const char *)sqlite3_column_text(row, 6),
	};
	take_guid(row, 0, thief->generation.policy);
	take_guid(row, 1, thief->generation.generation);
	take_guid(row, 7, thief->scope.key_id);
	thief->envelope = (const char *)sqlite3_column_text(row, 3);
	thief->kid = (const char *)sqlite3_column_text(row, 4);
	thief->wrap.data = sqlite3_column_blob(row, 5);
	thief->wrap.len = (size_t)sqlite3_column_bytes(row, 5);
	thief->wrapped = sqlite3_column_bytes(row, 8) == KEYTREE_WRAPPED_LEN
				 ? sqlite3_column_blob(row, 8)
				 : NULL;
}

static bool
opens(const struct thief *thief, struct custody_secret *key)
{
	struct err err = {.code = ERR_NONE};
	struct secret *dep_key = secret_from(key->data, key->len);
	custody_secret_free(key);
	struct xaes *context = dep_key != NULL ? keytree_open_key(dep_key, &err) : NULL;
	struct secret *scope_key = context != NULL && thief->wrapped != NULL
					   ? keytree_unwrap_scope(context, &thief->generation,
						     &thief->scope, thief->wrapped, &err)
					   : NULL;
	bool opened = scope_key != NULL;
	secret_free(scope_key);
	secret_free(dep_key);
	xaes_free(context);
	return opened;
}

static bool
by_customer_keys(const struct thief *thief)
{
	struct custody_error error;
	struct custody_secret key = {NULL, 0};
	struct buf context;
	buf_init(&context, ENVELOPE_CONTEXT_MAX);
	keytree_envelope_context(&thief->generation, &context);
	bool done = thief->envelope != NULL &&
		    custody_dual_unwrap(thief->owners, thief->envelope,
			    (struct custody_bytes){context.data, context.len}, &key, NULL, &error);
	if (!done)
		(void)fprintf(stderr, "customer keys: %s\n",
			thief->envelope != NULL ? error.message : "no envelope");
	buf_clear(&context);
	return done && opens(thief, &key);
}

static bool
by_availability_key(const struct thief *thief)
{
	struct custody_error error;
	struct custody_secret key = {NULL, 0};
	if (custody_unwrap(thief->service, thief->kid, "A256KW", thief->wrap, &key, &error))
		return opens(thief, &key);
	(void)fprintf(stderr, "availability key: %s\n", error.message);
	return false;
}

static const char *
steal(sqlite3_stmt *statement, struct thief *thief)
{
	while (sqlite3_step(statement) == SQLITE_ROW) {
		take_row(statement, thief);
		if (by_customer_keys(thief))
			return "customer keys";
		if (by_availability_key(thief))
			return "availability key";
	}
	return "nothing";
}

static struct custody_client *
connect_to(const char *socket, const char *application)
{
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	struct custody_client *client = NULL;
	struct custody_error error;
	options.socket_path = socket;
	options.application = application;
	if (!custody_client_new(&options, &client, &error)) {
		(void)fprintf(stderr, "%s\n", error.message);
		exit(2);
	}
	return client;
}

int
main(int argc, char **argv)
{
	sqlite3 *catalog = NULL;
	sqlite3_stmt *statement = NULL;
	if (argc != 6) {
		(void)fprintf(
			stderr, "usage: dep-recover CATALOG ORGANIZATION MAILBOX OWNERS SERVICE\n");
		return 2;
	}
	if (sqlite3_open(argv[1], &catalog) != SQLITE_OK ||
		sqlite3_prepare_v2(catalog, QUERY, -1, &statement, NULL) != SQLITE_OK ||
		sqlite3_bind_text(statement, 1, argv[3], -1, SQLITE_STATIC) != SQLITE_OK) {
		(void)fprintf(stderr, "%s: %s\n", argv[1], sqlite3_errmsg(catalog));
		return 2;
	}
	struct thief thief = {
		.organization = argv[2],
		.owners = connect_to(argv[4], EXCHANGE),
		.service = connect_to(argv[5], NULL),
	};
	puts(steal(statement, &thief));
	custody_client_free(thief.owners);
	custody_client_free(thief.service);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(catalog);
	return 0;
}
