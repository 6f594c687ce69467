/* Invariant: no private member exists here to be written. */
#include "jwk.h"

static void
write_number(struct json_writer *writer, const char *name, struct bytes number)
{
	json_write_base64(writer, name, number.data, number.len);
}

void
jwk_write(struct json_writer *writer, const char *name, const struct jwk *jwk)
{
	json_write_object(writer, name);
	json_write_text(writer, "kid", jwk->kid);
	json_write_text(writer, "kty", kty_name(jwk->kty));
	json_write_array(writer, "key_ops");
	for (unsigned op = 1; op <= ALG_OPS_ALL; op <<= 1)
		if ((jwk->ops & op) != 0)
			json_write_text(writer, NULL, alg_op_word((enum alg_op)op));
	json_write_end(writer);
	switch (kty_key(jwk->kty)) {
	case ALG_KEY_RSA:
		write_number(writer, "n", pubkey_get_n(jwk->pubkey));
		write_number(writer, "e", pubkey_get_e(jwk->pubkey));
		break;
	case ALG_KEY_EC:
		json_write_text(writer, "crv", curve_name(pubkey_get_curve(jwk->pubkey)));
		write_number(writer, "x", pubkey_get_x(jwk->pubkey));
		write_number(writer, "y", pubkey_get_y(jwk->pubkey));
		break;
	case ALG_KEY_OCT:
		break;
	}
	json_write_end(writer);
}
