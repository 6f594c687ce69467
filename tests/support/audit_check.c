/* audit-check FILE: verifies the hash chain of an audit file from its first line, without the daemon, and prints its records. */
#include <stdio.h>

#include "service/audit.h"

int
main(int argc, char **argv)
{
	struct audit_head head;
	struct err err = {0};
	if (argc != 2) {
		(void)fprintf(stderr, "usage: audit-check FILE\n");
		return 1;
	}
	if (!audit_verify(argv[1], &head, &err)) {
		(void)fprintf(stderr, "audit-check: %s\n", err.message);
		return 1;
	}
	(void)printf("%llu\n", (unsigned long long)head.records);
	return 0;
}
