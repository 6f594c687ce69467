/* Reads and writes what concerns the time without the owners' word. */
#include "dep_blind.h"

#include "api/body.h"
#include "api/dep_leaving.h"
#include "json/json_writer.h"

struct extend_body {
	struct json_opt_int hours;
	const char *reason;
};

static const struct json_field extend_fields[] = {
	FIELD(struct extend_body, hours, "hours", INT, .flags = JSON_REQUIRED, .low = 1,
		.high = API_DEP_BLIND_HOURS_MAX),
	FIELD(struct extend_body, reason, "reason", TEXT,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE,
		.max = API_DEP_REASON_MAX),
};
TABLE(extend_table, extend_fields, struct extend_body, true);

bool
api_dep_extend_decode(
	struct bytes body, struct arena *arena, struct api_dep_extend *ret_extend, struct err *err)
{
	struct extend_body read;
	if (!json_decode_body(body, &extend_table, arena, &read, err))
		return false;
	*ret_extend = (struct api_dep_extend){.hours = read.hours.value, .reason = read.reason};
	return true;
}

static void
write_blind(struct json_writer *writer, const char *name, const struct api_dep_blind *blind)
{
	int64_t left_s = blind->allowed_s - blind->used_s;
	json_write_object(writer, name);
	json_write_bool(writer, "silent", blind->silent);
	json_write_int(writer, "silentSeconds", blind->silent_s);
	json_write_int(writer, "usedSeconds", blind->used_s);
	json_write_int(writer, "allowedSeconds", blind->allowed_s);
	json_write_int(writer, "leftSeconds", left_s > 0 ? left_s : 0);
	if (blind->proposal.hours == 0) {
		json_write_null(writer, "proposal");
	} else {
		json_write_object(writer, "proposal");
		json_write_int(writer, "uid", blind->proposal.uid);
		json_write_int(writer, "hours", blind->proposal.hours);
		json_write_text(writer, "reason", blind->proposal.reason);
		json_write_int(writer, "until", blind->proposal.until);
		json_write_end(writer);
	}
	json_write_end(writer);
}

void
api_dep_blind_format(const struct api_dep_blind *blind, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_blind(&writer, NULL, blind);
}

void
api_dep_extended_format(
	bool extended, const char *message, const struct api_dep_blind *blind, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_bool(&writer, "extended", extended);
	json_write_text(&writer, "message", message);
	write_blind(&writer, "blindFallback", blind);
	json_write_end(&writer);
}
