/* Writes what the service knows of a key beside the dialect. Invariant: every member is always there, of a key that is. */
#include "api/key.h"

static const char *const state_words[] = {
	[API_KEY_OK] = "ok",
	[API_KEY_MISSING] = "missing",
	[API_KEY_INTEGRITY] = "integrity",
};

static void
write_attested(struct json_writer *writer, enum api_attested attested)
{
	if (attested == API_ATTESTED_UNKNOWN)
		json_write_null(writer, "attested");
	else
		json_write_bool(writer, "attested", attested == API_ATTESTED_YES);
}

void
api_key_custody(const struct api_key_custody *custody, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kid", custody->kid);
	json_write_text(&writer, "token", custody->token);
	json_write_text(&writer, "region", custody->region);
	json_write_bool(&writer, "hardware", custody->hardware);
	json_write_text(&writer, "state", state_words[custody->state]);
	json_write_int(&writer, "strengthBits", custody->strength_bits);
	json_write_bool(&writer, "mixed", custody->mixed);
	json_write_object(&writer, "provenance");
	json_write_bool(&writer, "hsmGenerated", custody->hsm_generated);
	json_write_bool(&writer, "local", custody->local);
	json_write_bool(&writer, "alwaysSensitive", custody->always_sensitive);
	json_write_bool(&writer, "neverExtractable", custody->never_extractable);
	json_write_bool(&writer, "generatedHere", custody->generated_here);
	json_write_bool(&writer, "imported", custody->imported);
	write_attested(&writer, custody->attested);
	json_write_end(&writer);
	json_write_end(&writer);
}

void
api_key_custody_purged(const char *kid, int64_t purged_s, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kid", kid);
	json_write_text(&writer, "state", "purged");
	json_write_int(&writer, "purged", purged_s);
	json_write_end(&writer);
}
