#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "depd/geos.h"

static void
a_geo_is_found_by_its_name_and_its_admin_site(void **state)
{
	(void)state;
	struct geos geos = {.count = 0};
	struct err err = {0};
	assert_true(geos_add(&geos, "NAM", "https://Contoso-admin.sharepoint.com/", &err));
	assert_true(geos_add(&geos, "eur-1", "HTTPS://contosoeur-admin.sharepoint.com", &err));
	static const struct {
		const char *text;
		int found; /* index, -1: none */
	} rows[] = {
		{"NAM",				      0 },
		{"nam",				      0 },
		{"contoso-admin.sharepoint.com",             0 },
		{"https://contoso-ADMIN.sharepoint.com",     0 },
		{"https://contoso-admin.sharepoint.com/",    0 },
		{"EUR-1",				    1 },
		{"",					 -1},
		{"NAM/",				     -1},
		{"https://NAM",                              -1},
		{"https://contoso-admin.sharepoint.com/x",   -1},
		{"http://contoso-admin.sharepoint.com",      -1},
		{"admin.sharepoint.com",                     -1},
		{"https://contoso-admin.sharepoint.com:443", -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct geo *found = geos_find(&geos, rows[i].text);
		const struct geo *expected = rows[i].found >= 0 ? &geos.items[rows[i].found] : NULL;
		if (found != expected)
			fail_msg("%s: %s", rows[i].text, found != NULL ? found->name : "none");
	}
}

static void
what_names_no_geo_or_two_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *url;
	} rows[] = {
		{"",				  "https://a.example.com"   },
		{"N M",			       "https://a.example.com"   },
		{"N/M",			       "https://a.example.com"   },
		{"a.example.com",                     "https://a.example.com"   },
		{"N12345678901234567890123456789012", "https://a.example.com"   },
		{"N",				 "a.example.com"           },
		{"N",				 "http://a.example.com"    },
		{"N",				 "https://"                },
		{"N",				 "https://N"               },
		{"N",				 "https://a.example.com/x" },
		{"N",				 "https://a b.example.com" },
		{"nam",			       "https://a.example.com"   },
		{"N",				 "https://used.example.com"},
	};
	struct geos geos = {.count = 0};
	struct err err = {0};
	assert_true(geos_add(&geos, "NAM", "https://used.example.com", &err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (geos_add(&geos, rows[i].name, rows[i].url, &err))
			fail_msg("%s %s", rows[i].name, rows[i].url);
		assert_int_equal(err.code, ERR_CONFIG);
	}
	assert_int_equal(geos.count, 1);
}

static void
there_are_no_more_than_are_kept(void **state)
{
	(void)state;
	struct geos geos = {.count = 0};
	struct err err = {0};
	for (size_t i = 0; i <= GEOS_MAX; i++) {
		char name[16], url[48];
		(void)snprintf(name, sizeof(name), "G%zu", i);
		(void)snprintf(url, sizeof(url), "https://g%zu.example.com", i);
		assert_int_equal(geos_add(&geos, name, url, &err), i < GEOS_MAX);
	}
	assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_geo_is_found_by_its_name_and_its_admin_site),
		cmocka_unit_test(what_names_no_geo_or_two_is_refused),
		cmocka_unit_test(there_are_no_more_than_are_kept),
	};
	return cmocka_run_group_tests_name("geos", tests, NULL, NULL);
}
