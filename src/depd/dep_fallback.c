/*
 * How long user actions go on by an availability key when no customer key opens: while the owners' custodyd is silent, as blind.h
 * allows; while it says that both are unavailable, as the policy does. What the system does goes on. An owner who pulls his HSM
 * looks like an outage: when one began stands in the catalog, on trusted time, so that no restart begins it again (threats G2).
 */
#include "depd/dep_opening_priv.h"

#include "base/log.h"

/* Begun by the first opening that says so, ended by the owners' word. */
static bool
keep_outage(struct dep_opening *opening, int64_t since_s, struct err *err)
{
	if ((opening->policy.outage_since != 0) == (since_s != 0))
		return true;
	if (!db_dep_policy_outage(opening->opener->config.db, opening->policy.id, since_s, err))
		return false;
	opening->policy.outage_since = since_s;
	return true;
}

static void
log_not_stored(const struct dep_opening *opening, const struct err *err)
{
	log_err(LOG_LEVEL_WARNING, "outage.not-stored", err,
		LOG_TEXT("policy", opening->policy.name));
}

void
dep_fallback_over(struct dep_opening *opening)
{
	struct err err = {.code = ERR_NONE};
	if (!keep_outage(opening, 0, &err)) /* and again at the next word */
		log_not_stored(opening, &err);
}

/* What has no limit need not be counted: a catalog that cannot be written keeps nobody from his data. */
static void
limit_strained(struct dep_opening *opening)
{
	int64_t now_s = calendar_now_s(opening->opener->config.calendar);
	int64_t limit_s = opening->policy.outage_fallback_s;
	struct err err = {.code = ERR_NONE};
	if (!keep_outage(opening, now_s, &err)) {
		log_not_stored(opening, &err);
		if (limit_s != DB_DEP_OUTAGE_UNLIMITED)
			opening->refusal = err;
		return;
	}
	if (limit_s == DB_DEP_OUTAGE_UNLIMITED)
		return;
	int64_t left_s = opening->policy.outage_since + limit_s - now_s;
	if (left_s > 0)
		opening->left_ms = left_s * 1000;
	else
		(void)err_set(&opening->refusal, ERR_UNAVAILABLE,
			"No customer key of policy %s can be used, and its time to go on without "
			"them is used up.",
			opening->policy.name);
}

void
dep_fallback_limit(struct dep_opening *opening)
{
	struct err over = {.code = ERR_NONE};
	opening->left_ms = INT64_MAX;
	if (opening->verdict == DEP_VERDICT_STRAINED)
		limit_strained(opening);
	else if (!blind_allows(opening->opener->blind, &opening->left_ms, &over))
		opening->refusal = over;
}
