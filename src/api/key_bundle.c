/* Writes bundles and pages of keys. Invariant: nothing of a key is written but what jwk_write() shows. */
#include <assert.h>

#include "api/key.h"
#include "jose/jwk.h"

const char *
api_recovery_level(int retention_days, bool purge_protection)
{
	/* akv-contract §5: 90 days is the plain level, 7 to 89 the customized one */
	if (retention_days >= 90)
		return purge_protection ? "Recoverable" : "Recoverable+Purgeable";
	return purge_protection ? "CustomizedRecoverable" : "CustomizedRecoverable+Purgeable";
}

/*
 * akv-contract §5: "0" software, "2" HSM. It is a claim about the key and not about what its creator asked for: "2" only where
 * the provenance says so (threats A22).
 */
static const char *
hsm_platform(bool hsm_generated)
{
	return hsm_generated ? "2" : "0";
}

static void
write_time(struct json_writer *writer, const char *name, int64_t time_s)
{
	if (time_s != API_NO_TIME)
		json_write_int(writer, name, time_s);
}

static void
write_attributes(struct json_writer *writer, const struct api_key_view *view)
{
	json_write_object(writer, "attributes");
	json_write_bool(writer, "enabled", view->enabled);
	write_time(writer, "nbf", view->nbf);
	write_time(writer, "exp", view->exp);
	json_write_int(writer, "created", view->created);
	json_write_int(writer, "updated", view->updated);
	json_write_text(writer, "recoveryLevel",
		api_recovery_level(view->retention_days, view->purge_protection));
	json_write_int(writer, "recoverableDays", view->retention_days);
	json_write_bool(writer, "exportable", false);
	json_write_text(writer, "hsmPlatform", hsm_platform(view->hsm_generated));
	json_write_end(writer);
}

/* What bundles and items end with. */
static void
write_rest(struct json_writer *writer, const struct api_key_view *view)
{
	write_attributes(writer, view);
	json_write_raw(writer, "tags", bytes_of_text(view->tags));
	if (view->recovery_id != NULL) {
		json_write_text(writer, "recoveryId", view->recovery_id);
		json_write_int(writer, "deletedDate", view->deleted_date);
		json_write_int(writer, "scheduledPurgeDate", view->scheduled_purge_date);
	}
}

void
api_key_bundle(const struct api_key_view *view, struct buf *out)
{
	struct jwk jwk = {
		.kid = view->kid,
		.kty = kty_find(view->kty),
		.ops = view->ops,
		.pubkey = view->pubkey,
	};
	assert(jwk.kty != KTY_NONE);
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	jwk_write(&writer, "key", &jwk);
	write_rest(&writer, view);
	json_write_end(&writer);
}

void
api_key_page_begin(struct api_key_page *page, struct buf *out)
{
	json_writer_init(&page->writer, out);
	json_write_object(&page->writer, NULL);
	json_write_array(&page->writer, "value");
}

void
api_key_page_item(struct api_key_page *page, const struct api_key_view *view)
{
	json_write_object(&page->writer, NULL);
	json_write_text(&page->writer, "kid", view->kid);
	write_rest(&page->writer, view);
	json_write_end(&page->writer);
}

void
api_key_page_end(struct api_key_page *page, const char *next_link)
{
	json_write_end(&page->writer);
	json_write_text(&page->writer, "nextLink", next_link);
	json_write_end(&page->writer);
}
