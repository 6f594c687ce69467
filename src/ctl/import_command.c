/*
 * custodyctl key import: a private key from a file into a vault. Its octets are in wiped memory only, and on no command line (threat F12):
 * az's --pem-string and --pem-password do not exist here.
 */
#include "custodyctl.h"

#include <string.h>

#include "crypto/privkey_pem.h"
#include "ctl/terminal.h"

#define FILE_MAX 65536
#define BODY_MAX 16384

/* ---- PEM ---- */

static bool
read_password(void *ctx, struct buf *password, struct err *err)
{
	const struct ctl *ctl = ctx;
	return terminal_read_pin("Password of the private key: ",
		cmdline_text(&ctl->options, OPTION_PEM_PASSWORD_FILE), password, err);
}

static void
write_number(struct json_writer *writer, const char *name, struct bytes number)
{
	json_write_base64(writer, name, number.data, number.len);
}

static void
write_pem_members(struct json_writer *writer, const struct privkey_pem *key)
{
	if (pubkey_get_type(key->pubkey) == PUBKEY_EC) {
		json_write_text(writer, "kty", "EC");
		json_write_text(writer, "crv", curve_name(pubkey_get_curve(key->pubkey)));
		write_number(writer, "x", pubkey_get_x(key->pubkey));
		write_number(writer, "y", pubkey_get_y(key->pubkey));
		json_write_secret(writer, "d", key->d);
		return;
	}
	json_write_text(writer, "kty", "RSA");
	write_number(writer, "n", pubkey_get_n(key->pubkey));
	write_number(writer, "e", pubkey_get_e(key->pubkey));
	json_write_secret(writer, "d", key->d);
	json_write_secret(writer, "p", key->p);
	json_write_secret(writer, "q", key->q);
	json_write_secret(writer, "dp", key->dp);
	json_write_secret(writer, "dq", key->dq);
	json_write_secret(writer, "qi", key->qi);
}

static bool
write_pem(struct ctl *ctl, struct bytes file, struct json_writer *writer, struct err *err)
{
	CLEAN(privkey_pem)
	struct privkey_pem key = {.pubkey = NULL};
	if (!privkey_pem_read(file, read_password, ctl, &key, err))
		return false;
	write_pem_members(writer, &key);
	ctl_write_words(ctl, writer, "key_ops", OPTION_OPS);
	return true;
}

/* ---- JWK ---- */

static void
write_ops(const struct ctl *ctl, struct json_writer *writer, const struct json_value *ops)
{
	if (cmdline_given(&ctl->options, OPTION_OPS) || ops == NULL) {
		ctl_write_words(ctl, writer, "key_ops", OPTION_OPS);
		return;
	}
	json_write_array(writer, "key_ops");
	for (size_t i = 0; i < json_count(ops); i++)
		json_write_text(writer, NULL, json_text(json_item(ops, i)));
	json_write_end(writer);
}

/* What else is in the file (kid, alg, x5c) is not sent. */
static bool
write_jwk(struct ctl *ctl, struct bytes file, struct json_writer *writer, struct err *err)
{
	static const char *const members[] = {
		"kty", "crv", "n", "e", "x", "y", "k", "d", "p", "q", "dp", "dq", "qi"};
	CLEAN(json)
	struct json_value *jwk = json_parse(file.data, file.len, FILE_MAX, err);
	if (jwk == NULL || json_text(json_member(jwk, "kty")) == NULL)
		return err_set(err, ERR_CLIENT_FILE, "The file is no JWK.");
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *text = json_text(json_member(jwk, members[i]));
		if (text != NULL)
			json_write_text(writer, members[i], text);
	}
	write_ops(ctl, writer, json_member(jwk, "key_ops"));
	return true;
}

/* ---- the command ---- */

static bool
read_key(struct ctl *ctl, struct json_writer *writer, struct err *err)
{
	const char *pem = cmdline_text(&ctl->options, OPTION_PEM_FILE);
	const char *jwk = cmdline_text(&ctl->options, OPTION_JWK_FILE);
	if ((pem == NULL) == (jwk == NULL))
		return err_set(
			err, ERR_CLIENT_USAGE, "Give the key by --pem-file or by --jwk-file.");
	CLEAN(buf)
	struct buf file;
	buf_init(&file, FILE_MAX);
	if (!terminal_read(pem != NULL ? pem : jwk, &file, err))
		return false;
	return pem != NULL ? write_pem(ctl, buf_bytes(&file), writer, err)
			   : write_jwk(ctl, buf_bytes(&file), writer, err);
}

static bool
write_import(struct ctl *ctl, struct buf *body, struct err *err)
{
	const char *protection = cmdline_text(&ctl->options, OPTION_PROTECTION);
	struct json_writer writer;
	json_writer_init(&writer, body);
	json_write_object(&writer, NULL);
	if (protection != NULL && strcmp(protection, "hsm") == 0)
		json_write_bool(&writer, "Hsm", true);
	json_write_object(&writer, "key");
	if (!read_key(ctl, &writer, err))
		return false;
	json_write_end(&writer);
	if (!ctl_write_attributes(ctl, &writer, err) || !ctl_write_tags(ctl, &writer, err))
		return false;
	json_write_end(&writer);
	return json_writer_ok(&writer) || err_set(err, ERR_TOO_LARGE, NULL);
}

int
ctl_key_import(struct ctl *ctl)
{
	struct err err;
	struct target target;
	CLEAN(buf)
	struct buf body;
	buf_init(&body, BODY_MAX);
	if (!ctl_target_key(ctl, &target, &err) || !write_import(ctl, &body, &err))
		return ctl_fail(ctl, &err);
	return ctl_call_key(ctl, "PUT", &target, "/keys/", "", &body);
}
