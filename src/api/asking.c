/* Writes requests. Invariant: a secret goes from its struct into the buffer, and nowhere in between. */
#include "asking.h"

#include "json/json_writer.h"

void
api_asking_dual_wrap(const char *const keys[static 2], struct bytes context,
	const struct secret *value, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "keys");
	json_write_text(&writer, NULL, keys[0]);
	json_write_text(&writer, NULL, keys[1]);
	json_write_end(&writer);
	json_write_base64(&writer, "context", context.data, context.len);
	json_write_secret(&writer, "value", value);
	json_write_end(&writer);
}

void
api_asking_dual_open(struct bytes envelope, struct bytes context, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_raw(&writer, "envelope", envelope);
	json_write_base64(&writer, "context", context.data, context.len);
	json_write_end(&writer);
}

void
api_asking_key_create(enum kty kty, unsigned bits, enum curve curve, unsigned ops, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kty", kty_name(kty));
	if (bits != 0)
		json_write_int(&writer, "key_size", bits);
	if (curve != CURVE_NONE)
		json_write_text(&writer, "crv", curve_name(curve));
	json_write_array(&writer, "key_ops");
	for (unsigned op = 1; op <= ALG_OPS_ALL; op <<= 1)
		if ((ops & op) != 0)
			json_write_text(&writer, NULL, alg_op_word((enum alg_op)op));
	json_write_end(&writer);
	json_write_end(&writer);
}

void
api_asking_operation(enum alg alg, const struct secret *secret, struct bytes value, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "alg", alg_name(alg));
	if (secret != NULL)
		json_write_secret(&writer, "value", secret);
	else
		json_write_base64(&writer, "value", value.data, value.len);
	json_write_end(&writer);
}
