/* Invariant: whatever is said on standard error is printable, in lines, and names what to do. */
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "json/json.h"

#define SENTENCE_MAX 640

/* ---- how it ends ---- */

static int
exit_of_class(enum custody_class error_class)
{
	switch (error_class) {
	case CUSTODY_CLASS_BAD:
		return EXIT_BAD;
	case CUSTODY_CLASS_DENIED:
		return EXIT_DENIED;
	case CUSTODY_CLASS_UNAVAILABLE:
		return EXIT_UNAVAILABLE;
	case CUSTODY_CLASS_INTEGRITY:
		return EXIT_INTEGRITY;
	}
	return EXIT_INTERNAL;
}

static int
exit_of(const char *name, enum custody_class error_class)
{
	enum err_code code = err_find(name);
	if (code == ERR_CLIENT_USAGE)
		return EXIT_USAGE;
	if (code == ERR_INTERNAL || code == ERR_CLIENT_ANSWER || code == ERR_NO_MEMORY)
		return EXIT_INTERNAL;
	return exit_of_class(error_class);
}

static void
say(const struct ctl *ctl, const char *text, const char *name)
{
	char clean[SENTENCE_MAX];
	output_clean(text, clean, sizeof(clean));
	(void)fprintf(stderr, "custodyctl %s: %s%s%s%s\n", ctl->command->words, clean,
		name[0] != '\0' ? " [" : "", name, name[0] != '\0' ? "]" : "");
}

/* A line for each key of an envelope that none opened: whose "no" it was, and what to do. */
static void
say_attempt(const struct custody_attempt *attempt)
{
	enum err_code code = err_find(attempt->name);
	(void)fprintf(stderr, "    %s%s%s%s: %s%s%s%s%s%s\n", attempt->key_id,
		attempt->token[0] != '\0' ? " (token " : "", attempt->token,
		attempt->token[0] != '\0' ? ")" : "", attempt->outcome,
		code != ERR_NONE ? ". " : "", code != ERR_NONE ? err_sentence(code) : "",
		attempt->name[0] != '\0' ? " [" : "", attempt->name,
		attempt->name[0] != '\0' ? "]" : "");
}

int
ctl_fail(const struct ctl *ctl, const struct err *err)
{
	const char *name = err_name(err->code);
	say(ctl, err->message, err->code == ERR_CLIENT_USAGE ? "" : name);
	return exit_of(name, (enum custody_class)err_class(err->code));
}

int
ctl_fail_call(const struct ctl *ctl, const struct custody_error *error)
{
	say(ctl, error->message, error->name);
	for (size_t i = 0; i < error->attempt_count; i++)
		say_attempt(&error->attempts[i]);
	return exit_of(error->name, error->error_class);
}

int
ctl_fail_usage(const struct ctl *ctl, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(ctl, text, "");
	return EXIT_USAGE;
}

void
ctl_warn(const struct ctl *ctl, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list args;
	va_start(args, fmt);
	int len = snprintf(text, sizeof(text), "warning: ");
	(void)vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, args);
	va_end(args);
	say(ctl, text, "");
}

void
ctl_waiting(void *data, const char *why, uint32_t wait_ms)
{
	ctl_warn(data, "%s Trying again in %u.%u s.", why, wait_ms / 1000, wait_ms % 1000 / 100);
}

void
ctl_warned(void *data, const char *text)
{
	ctl_warn(data, "%s", text);
}

/* ---- targets ---- */

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
		return cmdline_missing(OPTION_VAULT_NAME, err);
	if (name == NULL)
		return cmdline_missing(OPTION_NAME, err);
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
		return cmdline_missing(OPTION_VAULT_NAME, err);
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
		return cmdline_missing(OPTION_NAME, err);
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
		return cmdline_missing(OPTION_NAME, err);
	if (!id_token_name_valid(name))
		return err_set(err, ERR_CLIENT_USAGE,
			"A token's name is 1 to 32 lower-case letters, digits and dashes.");
	*ret_name = name;
	return true;
}

/* ---- requests and answers ---- */

struct json_value *
ctl_call(const struct ctl *ctl, const char *method, const char *vault, const char *path,
	const struct buf *body, int *ret_exit)
{
	char *text = NULL;
	struct custody_error error;
	if (!custody_request(ctl->client, method, vault, path, body != NULL ? buf_peek(body) : NULL,
		    &text, &error)) {
		*ret_exit = ctl_fail_call(ctl, &error);
		return NULL;
	}
	struct err err;
	const char *object = text[0] == '\0' ? "{}" : text; /* 204 has no body */
	struct json_value *document = json_parse(object, strlen(object), ANSWERS_MAX, &err);
	custody_text_free(text);
	if (document == NULL) {
		(void)err_set(&err, ERR_CLIENT_ANSWER, NULL);
		*ret_exit = ctl_fail(ctl, &err);
	}
	return document;
}

int
ctl_answer(const struct ctl *ctl, const struct buf *json, const char *list,
	const struct output_column *columns)
{
	struct err err;
	if (!output_write(stdout, ctl->form, buf_bytes(json), list, columns, &err))
		return ctl_fail(ctl, &err);
	return EXIT_OK;
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

void
ctl_write_words(
	const struct ctl *ctl, struct json_writer *writer, const char *name, enum option_id option)
{
	const struct option_values *values = &ctl->options.values[option];
	if (values->count == 0)
		return;
	json_write_array(writer, name);
	for (size_t i = 0; i < values->count; i++) {
		const char *word = values->words[i];
		while (*(word += strspn(word, ", ")) != '\0') {
			size_t len = strcspn(word, ", ");
			json_write_chars(writer, NULL, word, len);
			word += len;
		}
	}
	json_write_end(writer);
}
