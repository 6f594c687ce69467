/*
 * Who waits for which opening, and how long keys stay in memory. Invariant: a key's time begins when its owners were asked, not when
 * they answered, so that a revocation takes effect within cache_ttl whatever was slow (threats G5).
 */
#include "depd/dep_opening_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"

#define TICK_MS     1000
#define PROVING_MAX 4 /* proofs at once: readers' openings come first (threats G7) */
#define LEAD_SHARE  3 /* of a key's time: the rest of it when it is proved again */
#define LEAD_MAX_MS (INT64_C(2) * 3600 * 1000)
#define RETRY_SHARE 5                    /* of the lead, between proofs that failed */
#define LOOSE_MS    (INT64_C(60) * 1000) /* a key that is not kept, for who asked for it */

/* Of one generation without its owners' "yes", until they say it again (dep-semantics §5). */
static const int64_t alarms_ms[] = {INT64_C(3600) * 1000, INT64_C(24) * 3600 * 1000};

/* ---- how long ---- */

static int64_t
time_of(const struct dep_opener *opener, enum db_dep_policy_kind kind)
{
	return kind == DB_DEP_GEO ? opener->config.geo_cache_ttl_ms : opener->config.cache_ttl_ms;
}

/* How long before its end a key is proved again: a third of a short time, two hours of a long one (dep-semantics §5). */
static int64_t
lead_of(const struct dep_opener *opener, enum db_dep_policy_kind kind)
{
	int64_t lead_ms = time_of(opener, kind) / LEAD_SHARE;
	return lead_ms < LEAD_MAX_MS ? lead_ms : LEAD_MAX_MS;
}

/* Up to three tenths of the lead, by which proofs are spread (threats G7). */
static int64_t
jitter_ms(int64_t lead_ms)
{
	uint32_t random;
	random_bytes(&random, sizeof(random));
	return (int64_t)(random % (uint64_t)(lead_ms * 3 / 10 + 1));
}

static int64_t
prove_at_ms(const struct dep_opener *opener, enum db_dep_policy_kind kind, int64_t asked_ms)
{
	int64_t lead_ms = lead_of(opener, kind);
	return asked_ms + time_of(opener, kind) - lead_ms - jitter_ms(lead_ms);
}

void
dep_opener_prove_again(struct dep_opener *opener, const struct dep_opening *opening)
{
	dep_cache_prove_at(opener->cache, opening->generation,
		clock_monotonic_ms() + lead_of(opener, opening->policy.kind) / RETRY_SHARE);
}

/* Proved: the handles that are out stay good. */
static struct dep_key *
prove(struct dep_opener *opener, struct dep_opening *opening)
{
	struct dep_key *key = dep_cache_find(opener->cache, opening->generation);
	if (key == NULL)
		return NULL;
	dep_cache_extend(opener->cache, opening->generation,
		opening->asked_ms + time_of(opener, opening->policy.kind));
	dep_cache_prove_at(opener->cache, opening->generation,
		prove_at_ms(opener, opening->policy.kind, opening->asked_ms));
	return dep_key_ref(key);
}

struct dep_key *
dep_opener_keep(struct dep_opener *opener, struct dep_opening *opening)
{
	bool by_owners = opening->verdict == DEP_VERDICT_OPENED;
	bool listed = opening->refusal.code == ERR_NONE; /* else it is for who was spared alone */
	int64_t time_ms = listed ? time_of(opener, opening->policy.kind) : LOOSE_MS;
	if (!by_owners && listed && opening->left_ms < time_ms)
		time_ms = opening->left_ms;
	struct dep_key *key = by_owners ? prove(opener, opening) : NULL;
	if (key != NULL)
		return key;
	key = dep_cache_put(opener->cache, opening->generation, &opening->identity, opening->secret,
		opening->asked_ms + time_ms, listed, &opening->err);
	if (key != NULL && by_owners)
		dep_cache_prove_at(opener->cache, opening->generation,
			prove_at_ms(opener, opening->policy.kind, opening->asked_ms));
	else if (key != NULL && listed)
		dep_opener_prove_again(opener, opening);
	return key;
}

/* ---- generations without their owners' "yes" ---- */

static struct dep_strain **
find_strain(struct dep_opener *opener, int64_t generation)
{
	struct dep_strain **at = &opener->strains;
	while (*at != NULL && (*at)->generation != generation)
		at = &(*at)->next;
	return at;
}

static void
alarm_strain(struct dep_strain *strain, const struct dep_opening *opening)
{
	int64_t lasts_ms = clock_monotonic_ms() - strain->since_ms;
	while (strain->alarms < ARRAY_LEN(alarms_ms) && lasts_ms >= alarms_ms[strain->alarms]) {
		strain->alarms++;
		log_error("generation.outage", LOG_TEXT("policy", opening->policy.name),
			LOG_INT("hours", lasts_ms / 3600000), LOG_TEXT("first", opening->code[0]),
			LOG_TEXT("second", opening->code[1]));
	}
}

/* Before a restart, too. */
static int64_t
lasted_ms(const struct dep_opener *opener, const struct dep_opening *opening)
{
	int64_t since_s = opening->policy.outage_since;
	return since_s > 0 ? (calendar_now_s(opener->config.calendar) - since_s) * 1000 : 0;
}

void
dep_opener_strain(struct dep_opener *opener, const struct dep_opening *opening, bool strained)
{
	struct dep_strain **at = find_strain(opener, opening->generation);
	if (!strained && *at != NULL) {
		struct dep_strain *over = *at;
		*at = over->next;
		free(over);
		log_info("generation.well", LOG_TEXT("policy", opening->policy.name));
	}
	if (!strained)
		return;
	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL)
			abort();
		**at = (struct dep_strain){.generation = opening->generation,
			.since_ms = clock_monotonic_ms() - lasted_ms(opener, opening)};
	}
	alarm_strain(*at, opening);
}

/* ---- who waits ---- */

static struct dep_opening *
find_open(struct dep_opener *opener, int64_t generation)
{
	struct dep_opening *opening = opener->first;
	while (opening != NULL && (opening->generation != generation || opening->closed))
		opening = opening->next;
	return opening;
}

struct dep_key *
dep_opener_peek(struct dep_opener *opener, int64_t generation)
{
	return dep_cache_find(opener->cache, generation);
}

uint64_t
dep_opener_start(struct dep_opener *opener, int64_t generation, const struct dep_opening_for *why,
	dep_opening_fn *fn, void *ctx)
{
	struct dep_waiter *waiter = calloc(1, sizeof(*waiter));
	if (waiter == NULL)
		abort();
	*waiter = (struct dep_waiter){
		.number = ++opener->last_number, .action = why->action, .fn = fn, .ctx = ctx};
	if (why->request != NULL)
		memcpy(waiter->request, why->request,
			strnlen(why->request, sizeof(waiter->request) - 1));
	if (why->scope_key != NULL)
		id_uuid_format(why->scope_key, waiter->scope_key);
	struct dep_opening *opening = find_open(opener, generation);
	if (opening == NULL)
		opening = dep_opening_begin(opener, generation, false);
	if (opening->last != NULL && opening->first != NULL)
		opening->last->next = waiter;
	else
		opening->first = waiter;
	opening->last = waiter;
	return waiter->number;
}

static bool
drop_waiter(struct dep_opening *opening, uint64_t number)
{
	struct dep_waiter *before = NULL;
	struct dep_waiter *waiter = opening->first;
	while (waiter != NULL && waiter->number != number) {
		before = waiter;
		waiter = waiter->next;
	}
	if (waiter == NULL)
		return false;
	if (before != NULL)
		before->next = waiter->next;
	else
		opening->first = waiter->next;
	if (opening->last == waiter)
		opening->last = before;
	free(waiter);
	return true;
}

void
dep_opener_cancel(struct dep_opener *opener, uint64_t number)
{
	for (struct dep_opening *opening = opener->first; opening != NULL; opening = opening->next)
		if (drop_waiter(opening, number))
			return;
}

/* ---- the whole ---- */

void
dep_opener_tick(struct dep_opener *opener)
{
	blind_tick(opener->blind);
	dep_cache_tick(opener->cache);
	while (opener->proving < PROVING_MAX) {
		int64_t generation = dep_cache_take_due(opener->cache);
		if (generation == 0)
			return;
		if (find_open(opener, generation) != NULL)
			continue;
		opener->counts.proofs++;
		(void)dep_opening_begin(opener, generation, true);
	}
}

static void
tick(void *ctx)
{
	dep_opener_tick(ctx);
}

struct dep_opener *
dep_opener_new(const struct dep_opener_config *config, struct err *err)
{
	struct blind *blind = blind_new(config->db, config->blind_fallback_ms, err);
	if (blind == NULL)
		return NULL;
	struct dep_opener *opener = calloc(1, sizeof(*opener));
	if (opener == NULL)
		abort();
	opener->config = *config;
	opener->blind = blind;
	opener->cache = dep_cache_new();
	opener->timer = timer_new(config->loop, "dep.opener", tick, opener);
	timer_start_periodic(opener->timer, TICK_MS);
	return opener;
}

void
dep_opener_free(struct dep_opener *opener)
{
	if (opener == NULL)
		return;
	timer_free(opener->timer);
	dep_cache_free(opener->cache);
	blind_free(opener->blind);
	while (opener->strains != NULL) {
		struct dep_strain *strain = opener->strains;
		opener->strains = strain->next;
		free(strain);
	}
	free(opener);
}

void
dep_opener_add(struct dep_opener *opener, int64_t generation, enum db_dep_policy_kind kind,
	const struct keytree_generation *identity, struct secret *take_key)
{
	int64_t now_ms = clock_monotonic_ms();
	struct err err = {0};
	struct dep_key *handle = dep_cache_put(opener->cache, generation, identity, take_key,
		now_ms + time_of(opener, kind), true, &err);
	secret_free(take_key);
	if (handle == NULL) { /* it is opened when it is wanted */
		log_err(LOG_LEVEL_WARNING, "generation.not-kept", &err,
			(struct log_field){.key = "-"});
		return;
	}
	dep_cache_prove_at(opener->cache, generation, prove_at_ms(opener, kind, now_ms));
	(void)dep_key_unref(handle);
}

size_t
dep_opener_flush(struct dep_opener *opener)
{
	return dep_cache_flush(opener->cache);
}

void
dep_opener_forget(struct dep_opener *opener, int64_t generation)
{
	dep_cache_forget(opener->cache, generation);
}

struct dep_opener_stats
dep_opener_stats(const struct dep_opener *opener)
{
	struct dep_opener_stats stats = opener->counts;
	int64_t now_ms = clock_monotonic_ms();
	stats.cached = dep_cache_count(opener->cache);
	for (const struct dep_opening *opening = opener->first; opening != NULL;
		opening = opening->next)
		stats.opening++;
	for (const struct dep_strain *strain = opener->strains; strain != NULL;
		strain = strain->next) {
		stats.strained++;
		if (now_ms - strain->since_ms > stats.strained_ms)
			stats.strained_ms = now_ms - strain->since_ms;
	}
	stats.blind = blind_state(opener->blind);
	return stats;
}

bool
dep_opener_extend_blind(struct dep_opener *opener, int64_t more_ms, struct err *err)
{
	return blind_extend(opener->blind, more_ms, err);
}
