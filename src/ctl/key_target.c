/* What command lines of custodyctl name. */
#include "custodyctl.h"

#include <stdio.h>
#include <string.h>

#include "base/b64.h"

/* It becomes a header of the request: what a key id may have as its host, and nothing else. */
static bool
host_is_valid(const char *host)
{
	char id[512];
	struct kid kid;
	(void)snprintf(id, sizeof(id), "https://%s/keys/k", host);
	return kid_parse(id, &kid);
}

/* A vault by its name or its full host name. */
static bool
take_vault(const char *text, struct target *target, struct err *err)
{
	char label[ID_VAULT_NAME_MAX + 1];
	size_t len = strcspn(text, ".");
	bool fits = len < sizeof(label) && strlen(text) < sizeof(target->vault);
	if (fits) {
		memcpy(label, text, len);
		label[len] = '\0';
		id_fold(text, target->vault);
	}
	if (!fits || !id_vault_name_valid(label) || !host_is_valid(target->vault))
		return err_set(err, ERR_CLIENT_USAGE, "%s is not the name of a vault.", text);
	return true;
}

/* https://<host>/<kind>/<name>[/<version>], kind keys or deletedkeys; or https://<host>[/] alone. */
static bool
take_id(const char *id, struct target *target, struct err *err)
{
	static const char scheme[] = "https://";
	char folded[512];
	const char *rest =
		strncmp(id, scheme, sizeof(scheme) - 1) == 0 ? id + sizeof(scheme) - 1 : "";
	size_t host_len = strcspn(rest, "/");
	if (host_len == 0 || host_len >= sizeof(target->vault))
		return err_set(err, ERR_CLIENT_USAGE,
			"--id must look like https://vault.host/keys/name or "
			".../keys/name/version.");
	(void)snprintf(folded, sizeof(folded), "%.*s", (int)host_len, rest);
	if (!take_vault(folded, target, err))
		return false;
	rest += host_len;
	if (*rest == '\0' || strcmp(rest, "/") == 0)
		return true;
	struct kid kid;
	bool deleted = strncmp(rest, "/deletedkeys/", 13) == 0;
	bool known = deleted || strncmp(rest, "/keys/", 6) == 0;
	(void)snprintf(folded, sizeof(folded), "https://%s/keys/%s", target->vault,
		known ? strchr(rest + 1, '/') + 1 : "");
	if (!known || strlen(id) > 400 || !kid_parse(folded, &kid))
		return err_set(err, ERR_CLIENT_USAGE,
			"--id must look like https://vault.host/keys/name or "
			".../keys/name/version.");
	memcpy(target->name, kid.name, sizeof(target->name));
	memcpy(target->version, kid.version, sizeof(target->version));
	return true;
}

static bool
take_version(const char *version, struct target *target, struct err *err)
{
	uint8_t octets[ID_VERSION_BYTES];
	if (!hex_decode(version, octets, sizeof(octets)))
		return err_set(err, ERR_CLIENT_USAGE,
			"--version must be 32 lower-case hexadecimal digits.");
	memcpy(target->version, version, sizeof(target->version));
	return true;
}

static bool
take_parts(const struct ctl *ctl, struct target *target, struct err *err)
{
	const char *vault = cmdline_text(&ctl->options, OPTION_VAULT_NAME);
	const char *name = cmdline_text(&ctl->options, OPTION_NAME);
	const char *version = cmdline_text(&ctl->options, OPTION_VERSION);
	if (vault == NULL)
		return cmdline_missing(&ctl->options, OPTION_VAULT_NAME, err);
	if (name == NULL)
		return cmdline_missing(&ctl->options, OPTION_NAME, err);
	if (!take_vault(vault, target, err))
		return false;
	if (!id_key_name_valid(name))
		return err_set(err, ERR_CLIENT_USAGE,
			"--name must be 1 to 127 letters, digits and dashes.");
	memcpy(target->name, name, strlen(name) + 1);
	return version == NULL || version[0] == '\0' || take_version(version, target, err);
}

bool
ctl_target_key(const struct ctl *ctl, struct target *ret_target, struct err *err)
{
	struct target target = {.vault = ""};
	const char *id = cmdline_text(&ctl->options, OPTION_ID);
	if (id != NULL && (cmdline_given(&ctl->options, OPTION_VAULT_NAME) ||
				  cmdline_given(&ctl->options, OPTION_NAME)))
		return err_set(err, ERR_CLIENT_USAGE,
			"--id says it all: leave out --vault-name and --name.");
	if (id != NULL ? !take_id(id, &target, err) : !take_parts(ctl, &target, err))
		return false;
	if (target.name[0] == '\0')
		return err_set(err, ERR_CLIENT_USAGE, "--id must name a key.");
	(void)snprintf(target.id, sizeof(target.id), "https://%s/keys/%s%s%s", target.vault,
		target.name, target.version[0] != '\0' ? "/" : "", target.version);
	*ret_target = target;
	return true;
}

bool
ctl_target_vault(const struct ctl *ctl, struct target *ret_target, struct err *err)
{
	struct target target = {.vault = ""};
	const char *id = cmdline_text(&ctl->options, OPTION_ID);
	const char *name = cmdline_text(&ctl->options, OPTION_VAULT_NAME);
	if (id == NULL && name == NULL)
		return cmdline_missing(&ctl->options, OPTION_VAULT_NAME, err);
	if (id != NULL ? !take_id(id, &target, err) : !take_vault(name, &target, err))
		return false;
	*ret_target = target;
	return true;
}

bool
ctl_vault_name(const struct ctl *ctl, const char **ret_name, struct err *err)
{
	const char *name = cmdline_text(&ctl->options, OPTION_NAME);
	if (name == NULL)
		return cmdline_missing(&ctl->options, OPTION_NAME, err);
	if (!id_vault_name_valid(name))
		return err_set(err, ERR_CLIENT_USAGE,
			"A vault's name is 3 to 24 letters, digits and single dashes, a letter "
			"first.");
	*ret_name = name;
	return true;
}

bool
ctl_token_name(const struct ctl *ctl, const char **ret_name, struct err *err)
{
	const char *name = cmdline_text(&ctl->options, OPTION_NAME);
	if (name == NULL)
		return cmdline_missing(&ctl->options, OPTION_NAME, err);
	if (!id_token_name_valid(name))
		return err_set(err, ERR_CLIENT_USAGE,
			"A token's name is 1 to 32 lower-case letters, digits and dashes.");
	*ret_name = name;
	return true;
}

bool
ctl_write_tags(const struct ctl *ctl, struct json_writer *writer, struct err *err)
{
	const struct option_values *tags = &ctl->options.values[OPTION_TAGS];
	if (tags->count == 0)
		return true;
	json_write_object(writer, "tags");
	for (size_t i = 0; i < tags->count; i++) {
		char name[512];
		size_t len = strcspn(tags->words[i], "=");
		if (tags->words[i][0] == '\0')
			continue; /* az: "" removes all */
		if (len == 0 || len >= sizeof(name))
			return err_set(err, ERR_CLIENT_USAGE, "A tag looks like KEY=VALUE.");
		memcpy(name, tags->words[i], len);
		name[len] = '\0';
		json_write_text(
			writer, name, tags->words[i][len] == '=' ? tags->words[i] + len + 1 : "");
	}
	json_write_end(writer);
	return true;
}
