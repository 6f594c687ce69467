/* Keys: create, get, update, list, delete, recover, purge, as typed structs (Key Vault dialect, §4 to §10). */
#include "custody/custody.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client_call.h"

static const struct {
	enum custody_operation bit;
	const char *word;
} operations[] = {
	{CUSTODY_OP_ENCRYPT, "encrypt"  },
	{CUSTODY_OP_DECRYPT, "decrypt"  },
	{CUSTODY_OP_SIGN,    "sign"     },
	{CUSTODY_OP_VERIFY,  "verify"   },
	{CUSTODY_OP_WRAP,    "wrapKey"  },
	{CUSTODY_OP_UNWRAP,  "unwrapKey"},
};

/* ---- answers ---- */

static uint32_t
read_operations(struct answer words)
{
	uint32_t bits = 0;
	char word[16];
	for (struct answer item = answer_next(words, (struct answer){NULL, NULL});
		item.start != NULL; item = answer_next(words, item)) {
		for (size_t i = 0;
			answer_text(item, word, sizeof(word)) && i < ARRAY_LEN(operations); i++) {
			if (strcmp(word, operations[i].word) == 0)
				bits |= operations[i].bit;
		}
	}
	return bits;
}

/* Text that may be absent: "" then. */
static bool
read_text(struct answer object, const char *name, char *text, size_t size)
{
	struct answer value = answer_member(object, name);
	text[0] = '\0';
	return value.start == NULL || answer_text(value, text, size);
}

static bool
read_time(struct answer object, const char *name, int64_t *ret_time)
{
	struct answer value = answer_member(object, name);
	*ret_time = 0;
	return value.start == NULL || answer_int(value, ret_time);
}

static bool
read_id(struct answer holder, struct custody_key *key)
{
	struct kid kid;
	if (!answer_text(answer_member(holder, "kid"), key->id, sizeof(key->id)) ||
		!kid_parse(key->id, &kid))
		return false;
	memcpy(key->vault, kid.vault, sizeof(key->vault));
	memcpy(key->name, kid.name, sizeof(key->name));
	memcpy(key->version, kid.version, sizeof(key->version));
	return true;
}

/* A bundle has its id in "key", an item of a list has it itself. */
static bool
read_key(struct answer object, struct custody_key *key)
{
	struct answer jwk = answer_member(object, "key");
	struct answer attributes = answer_member(object, "attributes");
	struct answer modulus = answer_member(jwk, "n");
	*key = (struct custody_key){0};
	if (!read_id(jwk.start != NULL ? jwk : object, key) ||
		!answer_bool(answer_member(attributes, "enabled"), &key->enabled))
		return false;
	if (answer_type(modulus) == '"') /* base64url of whole octets, no leading zero */
		key->size_bits = (uint32_t)((modulus.end - modulus.start - 2) * 6 / 8 * 8);
	key->operations = read_operations(answer_member(jwk, "key_ops"));
	return read_text(jwk, "kty", key->type, sizeof(key->type)) &&
	       read_text(jwk, "crv", key->curve, sizeof(key->curve)) &&
	       read_time(attributes, "created", &key->created) &&
	       read_time(attributes, "updated", &key->updated) &&
	       read_time(attributes, "nbf", &key->not_before) &&
	       read_time(attributes, "exp", &key->expires) &&
	       read_text(attributes, "recoveryLevel", key->recovery_level,
		       sizeof(key->recovery_level)) &&
	       read_time(object, "deletedDate", &key->deleted) &&
	       read_time(object, "scheduledPurgeDate", &key->scheduled_purge);
}

static bool
take_key(struct answer object, struct custody_key **ret_key, struct custody_error *error)
{
	struct custody_key *key = malloc(sizeof(*key));
	if (key == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	if (!read_key(object, key)) {
		free(key);
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	}
	*ret_key = key;
	return true;
}

void
custody_key_free(struct custody_key *key)
{
	free(key);
}

/* ---- requests ---- */

/* Calls <prefix><name><suffix>; what comes back is a key if it is wanted. */
static bool
call_name(struct custody_client *client, const char *method, const char *vault, const char *prefix,
	const char *name, const char *suffix, const struct body *body, struct custody_key **ret_key,
	struct custody_error *error)
{
	if (vault == NULL || name == NULL || !id_key_name_valid(name))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"A key needs a vault and a name of 1 to 127 letters, digits and dashes.");
	char path[CALL_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s%s%s", prefix, name, suffix);
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	struct call call = {.method = method,
		.vault = vault,
		.path = path,
		.body = body,
		.repeatable = strcmp(method, "GET") == 0};
	return call_daemon(client, &call, &reply, error) &&
	       (ret_key == NULL || take_key(reply.value, ret_key, error));
}

static void
write_operations(struct body *body, uint32_t bits)
{
	const char *words[ARRAY_LEN(operations)];
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if ((bits & operations[i].bit) != 0)
			words[count++] = operations[i].word;
	}
	if (count > 0)
		body_texts(body, "key_ops", words, count);
}

static void
write_times(struct body *body, int64_t not_before, int64_t expires)
{
	if (not_before != 0)
		body_int(body, "nbf", not_before);
	if (expires != 0)
		body_int(body, "exp", expires);
}

static void
write_new(struct body *body, const struct custody_key_new *what)
{
	const char *type = what->type != NULL ? what->type : "RSA";
	bool rsa = strncmp(type, "RSA", 3) == 0;
	bool ec = strncmp(type, "EC", 2) == 0;
	body_text(body, "kty", type);
	if (what->size_bits != 0)
		body_int(body, "key_size", what->size_bits);
	else if (rsa)
		body_int(body, "key_size", 3072);
	if (what->curve != NULL)
		body_text(body, "crv", what->curve);
	else if (ec)
		body_text(body, "crv", "P-256");
	write_operations(body, what->operations);
	body_object(body, "attributes");
	body_bool(body, "enabled", !what->disabled);
	write_times(body, what->not_before, what->expires);
	body_end(body);
	body_end(body);
}

bool
custody_key_create(struct custody_client *client, const char *vault, const char *name,
	const struct custody_key_new *what, struct custody_key **ret_key,
	struct custody_error *error)
{
	struct custody_key_new known = {.size = sizeof(known)};
	if (what != NULL && (what->size == 0 || what->size > sizeof(known)))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"struct custody_key_new is not one that this version of libcustody knows.");
	if (what != NULL)
		memcpy(&known, what, what->size);
	CLEAN(body)
	struct body body;
	body_init(&body);
	write_new(&body, &known);
	return call_name(client, "POST", vault, "/keys/", name, "/create", &body, ret_key, error);
}

/* "/<version>", or "/" for the newest. */
static bool
version_suffix(const char *version, char suffix[static 40], struct custody_error *error)
{
	if (version == NULL)
		version = "";
	if (strlen(version) > 32 || strspn(version, "0123456789abcdef") != strlen(version))
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "A version is 32 lower-case hexadecimal digits.");
	(void)snprintf(suffix, 40, "/%s", version);
	return true;
}

bool
custody_key_get(struct custody_client *client, const char *vault, const char *name,
	const char *version, struct custody_key **ret_key, struct custody_error *error)
{
	char suffix[40];
	return version_suffix(version, suffix, error) &&
	       call_name(client, "GET", vault, "/keys/", name, suffix, NULL, ret_key, error);
}

bool
custody_key_update(struct custody_client *client, const char *vault, const char *name,
	const char *version, const struct custody_key_change *change, struct custody_key **ret_key,
	struct custody_error *error)
{
	struct custody_key_change known = {.size = sizeof(known), .enabled = -1};
	if (change->size == 0 || change->size > sizeof(known))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"struct custody_key_change is not one that this version of libcustody "
			"knows.");
	memcpy(&known, change, change->size);
	char suffix[40];
	if (!version_suffix(version, suffix, error))
		return false;
	CLEAN(body)
	struct body body;
	body_init(&body);
	write_operations(&body, known.operations);
	body_object(&body, "attributes");
	if (known.enabled >= 0)
		body_bool(&body, "enabled", known.enabled != 0);
	write_times(&body, known.not_before, known.expires);
	body_end(&body);
	body_end(&body);
	return call_name(client, "PATCH", vault, "/keys/", name, suffix, &body, ret_key, error);
}

bool
custody_key_delete(struct custody_client *client, const char *vault, const char *name,
	struct custody_key **ret_key, struct custody_error *error)
{
	return call_name(client, "DELETE", vault, "/keys/", name, "", NULL, ret_key, error);
}

bool
custody_key_get_deleted(struct custody_client *client, const char *vault, const char *name,
	struct custody_key **ret_key, struct custody_error *error)
{
	return call_name(client, "GET", vault, "/deletedkeys/", name, "", NULL, ret_key, error);
}

bool
custody_key_recover(struct custody_client *client, const char *vault, const char *name,
	struct custody_key **ret_key, struct custody_error *error)
{
	return call_name(
		client, "POST", vault, "/deletedkeys/", name, "/recover", NULL, ret_key, error);
}

bool
custody_key_purge(struct custody_client *client, const char *vault, const char *name,
	struct custody_error *error)
{
	return call_name(client, "DELETE", vault, "/deletedkeys/", name, "", NULL, NULL, error);
}

/* ---- lists, a page at a time ---- */

struct custody_key_list {
	struct custody_client *client;
	char vault[256];
	char next[CLIENT_PATH_MAX]; /* path of the page after this one; "" at the end */
	struct reply page;
	struct answer item; /* the last one given */
	struct custody_key key;
};

static bool
list_path(enum custody_list_kind kind, const char *name, char *path, size_t size)
{
	switch (kind) {
	case CUSTODY_LIST_KEYS:
		return snprintf(path, size, "/keys") > 0;
	case CUSTODY_LIST_DELETED:
		return snprintf(path, size, "/deletedkeys") > 0;
	case CUSTODY_LIST_VERSIONS:
		return name != NULL && id_key_name_valid(name) &&
		       snprintf(path, size, "/keys/%s/versions", name) > 0;
	}
	return false;
}

bool
custody_key_list_new(struct custody_client *client, enum custody_list_kind kind, const char *vault,
	const char *name, struct custody_key_list **ret_list, struct custody_error *error)
{
	struct custody_key_list *list = calloc(1, sizeof(*list));
	if (list == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	list->client = client;
	if (vault == NULL || strlen(vault) >= sizeof(list->vault) ||
		!list_path(kind, name, list->next, sizeof(list->next))) {
		free(list);
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"A list needs a vault, and a list of versions the name of a key.");
	}
	memcpy(list->vault, vault, strlen(vault) + 1);
	*ret_list = list;
	return true;
}

/* A nextLink is absolute, or relative to the vault; what counts for us is its path and query. */
static bool
read_next(struct answer page, char *next, size_t size)
{
	char link[CLIENT_PATH_MAX];
	struct answer value = answer_member(page, "nextLink");
	next[0] = '\0';
	if (value.start == NULL)
		return true;
	if (!answer_text(value, link, sizeof(link)))
		return false;
	const char *host = strstr(link, "://");
	const char *path = host == NULL ? link : strchr(host + 3, '/');
	if (path == NULL || *path != '/')
		return false;
	int len = snprintf(next, size, "%s", path);
	return len >= 0 && (size_t)len < size;
}

static bool
turn_page(struct custody_key_list *list, struct custody_error *error)
{
	struct call call = {
		.method = "GET", .vault = list->vault, .path = list->next, .repeatable = true};
	struct reply page;
	if (!call_daemon(list->client, &call, &page, error))
		return false;
	reply_clear(&list->page);
	list->page = page;
	list->item = (struct answer){NULL, NULL};
	if (answer_type(answer_member(page.value, "value")) == '[' &&
		read_next(page.value, list->next, sizeof(list->next)))
		return true;
	list->next[0] = '\0';
	return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
}

bool
custody_key_list_next(struct custody_key_list *list, const struct custody_key **ret_key,
	struct custody_error *error)
{
	for (;;) {
		struct answer values = answer_member(list->page.value, "value");
		struct answer item = answer_next(values, list->item);
		if (item.start != NULL) {
			list->item = item;
			if (!read_key(item, &list->key))
				return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
			*ret_key = &list->key;
			return true;
		}
		if (list->next[0] == '\0') {
			*ret_key = NULL;
			return true;
		}
		if (!turn_page(list, error))
			return false;
	}
}

void
custody_key_list_free(struct custody_key_list *list)
{
	if (list == NULL)
		return;
	reply_clear(&list->page);
	free(list);
}
