#include "geos.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
is_name(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-')
			return false;
	return len > 0 && len <= GEO_NAME_MAX;
}

/* The host of a URL, or of what is a host already; in lower case. false: it is too long or none. */
static bool
take_host(const char *text, bool scheme_wanted, char host[static GEO_HOST_SIZE])
{
	static const char scheme[] = "https://";
	bool has_scheme = strncasecmp(text, scheme, sizeof(scheme) - 1) == 0;
	if (has_scheme)
		text += sizeof(scheme) - 1;
	size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '/')
		len--;
	if (has_scheme < scheme_wanted || len == 0 || len >= GEO_HOST_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (!isalnum(c) && c != '-' && c != '.')
			return false;
		host[i] = (char)tolower(c);
	}
	host[len] = '\0';
	return strchr(host, '.') != NULL; /* so that no geo's name is another's site */
}

bool
geos_add(struct geos *geos, const char *name, const char *admin_url, struct err *err)
{
	struct geo geo = {.name = ""};
	if (!is_name(name))
		return err_set(err, ERR_CONFIG, "a geo's name is 1 to %d letters, digits and '-'.",
			GEO_NAME_MAX);
	if (!take_host(admin_url, true, geo.host))
		return err_set(err, ERR_CONFIG,
			"the URL of an admin site is https://HOST, with a domain and nothing "
			"behind it.");
	if (geos_find(geos, name) != NULL || geos_find(geos, geo.host) != NULL)
		return err_set(
			err, ERR_CONFIG, "another geo has this name or this admin site already.");
	if (geos->count == GEOS_MAX)
		return err_set(err, ERR_CONFIG, "there are at most %d geos.", GEOS_MAX);
	(void)snprintf(geo.name, sizeof(geo.name), "%s", name);
	geos->items[geos->count++] = geo;
	return true;
}

const struct geo *
geos_find(const struct geos *geos, const char *text)
{
	char host[GEO_HOST_SIZE];
	bool site = take_host(text, false, host);
	for (size_t i = 0; i < geos->count; i++) {
		const struct geo *geo = &geos->items[i];
		if (strcasecmp(geo->name, text) == 0 || (site && strcmp(geo->host, host) == 0))
			return geo;
	}
	return NULL;
}
