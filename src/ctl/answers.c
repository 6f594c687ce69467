/* What is written here is read by scripts made for az: names and forms are az's (its key and vault commands). */
#include "answers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

#define PATH_PART_MAX 64
#define TEXT_MAX      2048

const struct json_value *
answers_at(const struct json_value *value, const char *path)
{
	while (value != NULL && *path != '\0') {
		char part[PATH_PART_MAX];
		size_t len = strcspn(path, ".");
		if (len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		value = json_member(value, part);
		path += len + (path[len] == '.');
	}
	return value;
}

void
answers_time(int64_t seconds, char *text)
{
	char zulu[21];
	clock_format(seconds, zulu);
	(void)snprintf(text, 26, "%.19s+00:00", zulu);
}

static void
write_time(struct json_writer *writer, const char *name, const struct json_value *value)
{
	int64_t seconds;
	char text[32];
	if (!json_int(value, &seconds)) {
		json_write_null(writer, name);
		return;
	}
	answers_time(seconds, text);
	json_write_text(writer, name, text);
}

void
answers_copy(struct json_writer *writer, const char *name, const struct json_value *value)
{
	int64_t number;
	bool flag;
	const char *member = NULL;
	if (json_text(value) != NULL) {
		json_write_text(writer, name, json_text(value));
	} else if (json_int(value, &number)) {
		json_write_int(writer, name, number);
	} else if (json_bool(value, &flag)) {
		json_write_bool(writer, name, flag);
	} else if (value != NULL && json_type_of(value) == JSON_TYPE_OBJECT) {
		json_write_object(writer, name);
		for (size_t i = 0; i < json_count(value); i++) {
			const struct json_value *item = json_next(value, &member);
			answers_copy(writer, member, item);
		}
		json_write_end(writer);
	} else if (value != NULL && json_type_of(value) == JSON_TYPE_ARRAY) {
		json_write_array(writer, name);
		for (size_t i = 0; i < json_count(value); i++)
			answers_copy(writer, NULL, json_item(value, i));
		json_write_end(writer);
	} else {
		json_write_null(writer, name);
	}
}

/* base64url as base64 with padding, as az prints octets. */
static void
write_base64(struct json_writer *writer, const char *name, const struct json_value *value)
{
	const char *text = json_text(value);
	char out[TEXT_MAX];
	size_t len = text == NULL ? 0 : strlen(text);
	if (text == NULL || len + 4 > sizeof(out)) {
		json_write_null(writer, name);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		out[i] = text[i];
		if (text[i] == '-')
			out[i] = '+';
		else if (text[i] == '_')
			out[i] = '/';
	}
	while (len % 4 != 0)
		out[len++] = '=';
	json_write_chars(writer, name, out, len);
}

static void
write_attributes(struct json_writer *writer, const struct json_value *attributes)
{
	json_write_object(writer, "attributes");
	write_time(writer, "created", json_member(attributes, "created"));
	answers_copy(writer, "enabled", json_member(attributes, "enabled"));
	write_time(writer, "expires", json_member(attributes, "exp"));
	answers_copy(writer, "exportable", json_member(attributes, "exportable"));
	answers_copy(writer, "hsmPlatform", json_member(attributes, "hsmPlatform"));
	write_time(writer, "notBefore", json_member(attributes, "nbf"));
	answers_copy(writer, "recoverableDays", json_member(attributes, "recoverableDays"));
	answers_copy(writer, "recoveryLevel", json_member(attributes, "recoveryLevel"));
	write_time(writer, "updated", json_member(attributes, "updated"));
	json_write_end(writer);
}

static void
write_deletion(struct json_writer *writer, const struct json_value *object)
{
	if (json_member(object, "recoveryId") == NULL)
		return;
	write_time(writer, "deletedDate", json_member(object, "deletedDate"));
	answers_copy(writer, "recoveryId", json_member(object, "recoveryId"));
	write_time(writer, "scheduledPurgeDate", json_member(object, "scheduledPurgeDate"));
}

/* The name in a key id; null if it is none. */
static void
write_name(struct json_writer *writer, const struct json_value *id)
{
	struct kid kid;
	const char *text = json_text(id);
	bool known = text != NULL && kid_parse(text, &kid);
	json_write_text(writer, "name", known ? kid.name : NULL);
}

static void
write_key(struct json_writer *writer, const struct json_value *bundle)
{
	const struct json_value *jwk = json_member(bundle, "key");
	write_attributes(writer, json_member(bundle, "attributes"));
	write_deletion(writer, bundle);
	json_write_object(writer, "key");
	answers_copy(writer, "crv", json_member(jwk, "crv"));
	write_base64(writer, "e", json_member(jwk, "e"));
	answers_copy(writer, "keyOps", json_member(jwk, "key_ops"));
	answers_copy(writer, "kid", json_member(jwk, "kid"));
	answers_copy(writer, "kty", json_member(jwk, "kty"));
	write_base64(writer, "n", json_member(jwk, "n"));
	write_base64(writer, "x", json_member(jwk, "x"));
	write_base64(writer, "y", json_member(jwk, "y"));
	json_write_end(writer);
	answers_copy(writer, "managed", json_member(bundle, "managed"));
	write_name(writer, json_member(jwk, "kid"));
	answers_copy(writer, "releasePolicy", json_member(bundle, "release_policy"));
	answers_copy(writer, "tags", json_member(bundle, "tags"));
}

void
answers_key(struct json_writer *writer, const char *name, const struct json_value *bundle)
{
	json_write_object(writer, name);
	write_key(writer, bundle);
	json_write_end(writer);
}

void
answers_key_custody(struct json_writer *writer, const char *name, const struct json_value *bundle,
	const struct json_value *custody)
{
	json_write_object(writer, name);
	write_key(writer, bundle);
	answers_copy(writer, "custody", custody);
	json_write_end(writer);
}

void
answers_key_item(struct json_writer *writer, const char *name, const struct json_value *item)
{
	json_write_object(writer, name);
	write_attributes(writer, json_member(item, "attributes"));
	write_deletion(writer, item);
	answers_copy(writer, "kid", json_member(item, "kid"));
	answers_copy(writer, "managed", json_member(item, "managed"));
	write_name(writer, json_member(item, "kid"));
	answers_copy(writer, "tags", json_member(item, "tags"));
	json_write_end(writer);
}

/* az's members, then ours. */
static void
write_policy(struct json_writer *writer, const struct json_value *policy)
{
	const char *principal = json_text(json_member(policy, "principal"));
	bool application = principal != NULL && strncmp(principal, "app:", 4) == 0;
	json_write_object(writer, NULL);
	json_write_text(writer, "objectId", application ? principal + 4 : principal);
	answers_copy(writer, "permissions", json_member(policy, "permissions"));
	answers_copy(writer, "principal", json_member(policy, "principal"));
	answers_copy(writer, "number", json_member(policy, "number"));
	answers_copy(writer, "state", json_member(policy, "state"));
	json_write_end(writer);
}

static void
write_policies(struct json_writer *writer, const struct json_value *policies)
{
	if (policies == NULL || json_type_of(policies) != JSON_TYPE_ARRAY) {
		json_write_null(writer, "accessPolicies");
		return;
	}
	json_write_array(writer, "accessPolicies");
	for (size_t i = 0; i < json_count(policies); i++)
		write_policy(writer, json_item(policies, i));
	json_write_end(writer);
}

/* az's members, then ours. */
void
answers_vault(struct json_writer *writer, const char *name, const struct json_value *vault)
{
	json_write_object(writer, name);
	answers_copy(writer, "location", json_member(vault, "region"));
	answers_copy(writer, "name", json_member(vault, "name"));
	json_write_object(writer, "properties");
	write_policies(writer, json_member(vault, "accessPolicies"));
	answers_copy(writer, "enablePurgeProtection", json_member(vault, "enablePurgeProtection"));
	json_write_bool(writer, "enableSoftDelete", true);
	answers_copy(writer, "softDeleteRetentionInDays", json_member(vault, "retentionDays"));
	answers_copy(writer, "vaultUri", json_member(vault, "uri"));
	answers_copy(writer, "token", json_member(vault, "token"));
	answers_copy(writer, "backup", json_member(vault, "backup"));
	write_time(writer, "created", json_member(vault, "created"));
	write_time(writer, "updated", json_member(vault, "updated"));
	json_write_end(writer);
	answers_copy(writer, "tags", json_member(vault, "tags"));
	json_write_text(writer, "type", "Microsoft.KeyVault/vaults");
	json_write_end(writer);
}
