/* Writes depd's status. */
#include "dep_status.h"

#include "json/json_writer.h"

static void
write_slot(struct json_writer *writer, const struct api_dep_slot *slot)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "name", slot->name);
	json_write_text(writer, "policy", slot->policy);
	if (slot->assigned == 0)
		json_write_null(writer, "assigned");
	else
		json_write_int(writer, "assigned", slot->assigned);
	json_write_int(writer, "encrypted", slot->encrypted);
	json_write_int(writer, "pending", slot->pending);
	json_write_int(writer, "clear", slot->clear);
	json_write_int(writer, "remembered", slot->remembered);
	json_write_int(writer, "purged", slot->erased);
	json_write_end(writer);
}

static void
write_redundancy(struct json_writer *writer, const struct api_dep_redundancy *policy)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "id", policy->id);
	json_write_text(writer, "kind", policy->kind);
	json_write_text(writer, "policy", policy->policy);
	json_write_int(writer, "redundancy", policy->redundancy);
	if (policy->has_availability)
		json_write_bool(writer, "availabilityKeyOpens", policy->availability);
	else
		json_write_null(writer, "availabilityKeyOpens");
	json_write_int(writer, "checked", policy->checked);
	json_write_end(writer);
}

static void
write_opening(struct json_writer *writer, const struct api_dep_status *status)
{
	json_write_object(writer, "opening");
	json_write_int(writer, "cached", status->opening.cached);
	json_write_int(writer, "opened", status->opening.opened);
	json_write_int(writer, "fallbacks", status->opening.fallbacks);
	json_write_int(writer, "denied", status->opening.denied);
	json_write_int(writer, "failed", status->opening.failed);
	json_write_int(writer, "strained", status->opening.strained);
	json_write_int(writer, "strainedSeconds", status->opening.strained_s);
	json_write_int(writer, "blindSeconds", status->opening.blind_used_s);
	json_write_int(writer, "blindSecondsAllowed", status->opening.blind_allowed_s);
	json_write_end(writer);
}

static void
write_rewrapping(struct json_writer *writer, const struct api_dep_status *status)
{
	json_write_object(writer, "rewrapping");
	json_write_bool(writer, "working", status->rewrapping.working);
	json_write_int(writer, "moved", status->rewrapping.moved);
	json_write_text(writer, "waits", status->rewrapping.wait);
	json_write_end(writer);
}

void
api_dep_status_format(const struct api_dep_status *status, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "version", status->version);
	json_write_text(&writer, "organization", status->organization);
	json_write_int(&writer, "uptime", status->uptime_s);
	json_write_bool(&writer, "readOnly", status->read_only);
	json_write_int(&writer, "inFlight", status->in_flight);
	json_write_int(&writer, "requests", status->requests);
	json_write_int(&writer, "refused", status->refused);
	json_write_int(&writer, "connections", status->connections);
	json_write_array(&writer, "slots");
	for (size_t i = 0; i < status->slot_count; i++)
		write_slot(&writer, &status->slots[i]);
	json_write_end(&writer);
	json_write_array(&writer, "redundancy");
	for (size_t i = 0; i < status->redundancy_count; i++)
		write_redundancy(&writer, &status->redundancy[i]);
	json_write_end(&writer);
	write_opening(&writer, status);
	write_rewrapping(&writer, status);
	json_write_object(&writer, "audit");
	json_write_int(&writer, "records", status->audit_records);
	json_write_text(&writer, "head", status->audit_head);
	json_write_end(&writer);
	json_write_text(&writer, "lastError", status->last_error);
	json_write_end(&writer);
}

void
api_dep_flushed_format(size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_int(&writer, "flushed", (int64_t)count);
	json_write_end(&writer);
}

void
api_dep_organization_format(const struct api_dep_organization *organization, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "name", organization->name);
	json_write_int(&writer, "created", organization->created);
	json_write_object(&writer, "signingKey");
	json_write_text(&writer, "kid", organization->signing_kid);
	json_write_hex(&writer, "fingerprint", organization->fingerprint.data,
		organization->fingerprint.len);
	json_write_text(&writer, "pem", organization->signing_pem);
	json_write_end(&writer);
	json_write_end(&writer);
}
