/* Reads and writes RotationPolicy. */
#include "api/rotation.h"

#include <string.h>
#include <strings.h>

#include "api/body.h"
#include "base/period.h"
#include "json/json_writer.h"

#define ACTIONS_MAX    2
#define WORD_MAX       32
#define DAY_S          INT64_C(86400)
#define DEFAULT_NOTIFY "P30D" /* what the dialect shows where nothing was set */

/* ---- reading ---- */

struct trigger_body {
	const char *after_create, *before_expiry;
};

struct type_body {
	const char *type;
};

struct action_body {
	struct trigger_body *trigger;
	struct type_body *action;
};

struct expiry_body {
	const char *expiry;
};

struct policy_body {
	struct json_list actions;
	struct expiry_body *attributes;
};

static const struct json_field trigger_fields[] = {
	FIELD(struct trigger_body, after_create, "timeAfterCreate", TEXT, .max = WORD_MAX),
	FIELD(struct trigger_body, before_expiry, "timeBeforeExpiry", TEXT, .max = WORD_MAX),
};
TABLE(trigger_table, trigger_fields, struct trigger_body, false);

static const struct json_field type_fields[] = {
	FIELD(struct type_body, type, "type", TEXT, .flags = JSON_REQUIRED, .max = WORD_MAX),
};
TABLE(type_table, type_fields, struct type_body, false);

static const struct json_field action_fields[] = {
	FIELD(struct action_body, trigger, "trigger", OBJECT, .flags = JSON_REQUIRED,
		.table = &trigger_table),
	FIELD(struct action_body, action, "action", OBJECT, .flags = JSON_REQUIRED,
		.table = &type_table),
};
TABLE(action_table, action_fields, struct action_body, false);

static const struct json_field expiry_fields[] = {
	FIELD(struct expiry_body, expiry, "expiryTime", TEXT, .max = WORD_MAX),
};
TABLE(expiry_table, expiry_fields, struct expiry_body, false);

static const struct json_field policy_fields[] = {
	FIELD(struct policy_body, actions, "lifetimeActions", OBJECTS, .max = ACTIONS_MAX,
		.table = &action_table),
	FIELD(struct policy_body, attributes, "attributes", OBJECT, .table = &expiry_table),
};
TABLE(policy_table, policy_fields, struct policy_body, false);

static bool
check_period(const char *name, const char *text, int64_t days_min, int64_t now_s, struct err *err)
{
	struct period period;
	if (!period_parse(text, &period))
		return err_set(
			err, ERR_BAD_PARAMETER, "%s is no period such as P90D, P3M or P1Y.", name);
	if (period_after(&period, now_s) - now_s < days_min * DAY_S)
		return err_set(err, ERR_BAD_PARAMETER, "%s is shorter than %lld days.", name,
			(long long)days_min);
	return true;
}

static bool
take_rotate(const struct trigger_body *trigger, struct api_rotation *rotation, struct err *err)
{
	if (rotation->rotate_after != NULL || rotation->rotate_before != NULL)
		return err_set(err, ERR_BAD_PARAMETER, "lifetimeActions: Rotate is there twice.");
	if ((trigger->after_create == NULL) == (trigger->before_expiry == NULL))
		return err_set(err, ERR_BAD_PARAMETER,
			"lifetimeActions: Rotate has either timeAfterCreate or timeBeforeExpiry.");
	if (trigger->before_expiry != NULL && rotation->expiry == NULL)
		return err_set(err, ERR_BAD_PARAMETER,
			"lifetimeActions: Rotate with timeBeforeExpiry needs "
			"attributes.expiryTime.");
	rotation->rotate_after = trigger->after_create;
	rotation->rotate_before = trigger->before_expiry;
	return true;
}

static bool
take_notify(const struct trigger_body *trigger, struct api_rotation *rotation, struct err *err)
{
	if (rotation->notify_before != NULL)
		return err_set(err, ERR_BAD_PARAMETER, "lifetimeActions: Notify is there twice.");
	if (trigger->before_expiry == NULL || trigger->after_create != NULL)
		return err_set(err, ERR_BAD_PARAMETER,
			"lifetimeActions: Notify has timeBeforeExpiry and nothing else.");
	rotation->notify_before = trigger->before_expiry;
	return true;
}

static bool
take_action(const struct action_body *action, int64_t now_s, struct api_rotation *rotation,
	struct err *err)
{
	const struct trigger_body *trigger = action->trigger;
	const char *type = action->action->type;
	if (trigger->after_create != NULL &&
		!check_period("lifetimeActions: timeAfterCreate", trigger->after_create,
			API_ROTATION_DAYS_MIN, now_s, err))
		return false;
	if (trigger->before_expiry != NULL &&
		!check_period("lifetimeActions: timeBeforeExpiry", trigger->before_expiry,
			API_ROTATION_DAYS_MIN, now_s, err))
		return false;
	/* clients write either case (akv-contract §12) */
	if (strcasecmp(type, "Rotate") == 0)
		return take_rotate(trigger, rotation, err);
	if (strcasecmp(type, "Notify") == 0)
		return take_notify(trigger, rotation, err);
	return err_set(err, ERR_BAD_PARAMETER,
		"lifetimeActions: action.type is neither Rotate nor Notify.");
}

/* A version must not be replaced, or its end told, before it was born. */
static bool
check_order(const struct api_rotation *rotation, int64_t now_s, struct err *err)
{
	const char *const befores[] = {rotation->rotate_before, rotation->notify_before};
	struct period expiry, before;
	if (rotation->expiry == NULL || !period_parse(rotation->expiry, &expiry))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(befores); i++)
		if (befores[i] != NULL && period_parse(befores[i], &before) &&
			period_after(&before, now_s) >= period_after(&expiry, now_s))
			return err_set(err, ERR_BAD_PARAMETER,
				"lifetimeActions: timeBeforeExpiry is not shorter than "
				"attributes.expiryTime.");
	return true;
}

bool
api_rotation_decode(struct bytes body, int64_t now_s, struct arena *arena,
	struct api_rotation *ret_rotation, struct err *err)
{
	struct policy_body policy;
	struct api_rotation rotation = {0};
	if (!json_decode_body(body, &policy_table, arena, &policy, err))
		return false;
	if (policy.attributes != NULL && policy.attributes->expiry != NULL) {
		rotation.expiry = policy.attributes->expiry;
		if (!check_period("attributes.expiryTime", rotation.expiry, API_EXPIRY_DAYS_MIN,
			    now_s, err))
			return false;
	}
	const struct action_body *actions = policy.actions.items;
	for (size_t i = 0; i < policy.actions.count; i++)
		if (!take_action(&actions[i], now_s, &rotation, err))
			return false;
	if (!check_order(&rotation, now_s, err))
		return false;
	*ret_rotation = rotation;
	return true;
}

/* ---- writing ---- */

static void
write_action(struct json_writer *writer, const char *type, const char *trigger, const char *period)
{
	if (period == NULL)
		return;
	json_write_object(writer, NULL);
	json_write_object(writer, "trigger");
	json_write_text(writer, trigger, period);
	json_write_end(writer);
	json_write_object(writer, "action");
	json_write_text(writer, "type", type);
	json_write_end(writer);
	json_write_end(writer);
}

void
api_rotation_format(const char *id, const struct api_rotation *rotation, int64_t created,
	int64_t updated, struct buf *out)
{
	struct json_writer writer;
	bool set = created >= 0;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "id", id);
	json_write_array(&writer, "lifetimeActions");
	write_action(&writer, "Rotate", "timeAfterCreate", rotation->rotate_after);
	write_action(&writer, "Rotate", "timeBeforeExpiry", rotation->rotate_before);
	write_action(&writer, "Notify", "timeBeforeExpiry",
		set ? rotation->notify_before : DEFAULT_NOTIFY);
	json_write_end(&writer);
	json_write_object(&writer, "attributes");
	if (rotation->expiry != NULL)
		json_write_text(&writer, "expiryTime", rotation->expiry);
	if (set) {
		json_write_int(&writer, "created", created);
		json_write_int(&writer, "updated", updated);
	}
	json_write_end(&writer);
	json_write_end(&writer);
}
