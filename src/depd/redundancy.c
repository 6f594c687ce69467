/*
 * Invariant: nothing about what is due is kept here but what the custodyds said of their tokens last: another word of either is an
 * event, after which every generation is due.
 */
#include "redundancy.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "db/db_dep_check.h"
#include "depd/custody_port.h"
#include "depd/depd.h"
#include "depd/generation_check.h"

#define IDLE_MS  1000 /* between looking for what is due */
#define BUSY_MS  200  /* between two checks, and looking whether one has ended */
#define DAY_S    86400
#define JITTER_S 7200 /* by which checks are spread */
#define SIDES    2

struct side {
	struct redundancy *redundancy;
	enum custody_side side;
	uint64_t call; /* 0: not being asked */
	bool known;
	uint8_t word[HASH_SHA256_LEN]; /* what it said of its health; zeros: nothing */
};

struct redundancy {
	struct depd *depd;
	struct timer *timer;
	uint64_t checking; /* generation_check; 0: none */
	struct side sides[SIDES];
	int64_t listened_ms;
};

int64_t
redundancy_due_s(int64_t now_s)
{
	uint32_t random;
	random_bytes(&random, sizeof(random));
	return now_s + DAY_S - (int64_t)(random % JITTER_S);
}

/* ---- events ---- */

static void
event(struct redundancy *redundancy)
{
	struct depd *depd = redundancy->depd;
	struct err err = {.code = ERR_NONE};
	log_info("redundancy.event", LOG_TEXT("cause", "a token came or went"));
	if (!db_dep_check_all(depd->db, calendar_now_s(depd->calendar), &err))
		depd_note(depd, "redundancy.event", &err, NULL);
}

/* Its first word is news only if it is not all well. */
static void
on_health(void *ctx, struct custody_answer *answer)
{
	struct side *side = ctx;
	uint8_t word[HASH_SHA256_LEN] = {0};
	side->call = 0;
	if (!answer->unreachable)
		hash_sha256(answer->value.data, answer->value.len, word);
	bool news = side->known ? memcmp(word, side->word, sizeof(word)) != 0
				: answer->err.code != ERR_NONE;
	side->known = true;
	memcpy(side->word, word, sizeof(word));
	if (news && !db_read_only(side->redundancy->depd->db))
		event(side->redundancy);
}

static void
listen(struct redundancy *redundancy)
{
	for (size_t i = 0; i < SIDES; i++) {
		struct side *side = &redundancy->sides[i];
		struct err err = {.code = ERR_NONE};
		if (side->call == 0)
			side->call = custody_port_health(
				redundancy->depd->custody, side->side, on_health, side, &err);
	}
}

/* ---- checks ---- */

/* false: nothing is due. */
static bool
check_next(struct redundancy *redundancy)
{
	struct depd *depd = redundancy->depd;
	struct err err = {.code = ERR_NONE};
	int64_t generation = 0;
	if (!db_dep_check_next(depd->db, calendar_now_s(depd->calendar), &generation, &err))
		depd_note(depd, "redundancy.failed", &err, NULL);
	else if (generation != 0)
		generation_check_start(depd, generation, &redundancy->checking);
	return generation != 0;
}

static void
tick(void *ctx)
{
	struct redundancy *redundancy = ctx;
	struct depd *depd = redundancy->depd;
	int64_t now_ms = loop_now_ms(depd->loop);
	if (depd->draining)
		return;
	if (now_ms - redundancy->listened_ms >= depd->options->daemon.token_watch) {
		redundancy->listened_ms = now_ms;
		listen(redundancy);
	}
	bool busy = redundancy->checking != 0;
	if (!busy && !db_read_only(depd->db) && !audit_failed(depd->audit))
		busy = check_next(redundancy);
	timer_start(redundancy->timer, busy ? BUSY_MS : IDLE_MS);
}

/* ---- life ---- */

struct redundancy *
redundancy_new(struct depd *depd)
{
	struct redundancy *redundancy = calloc(1, sizeof(*redundancy));
	if (redundancy == NULL)
		abort();
	redundancy->depd = depd;
	redundancy->sides[0] = (struct side){.redundancy = redundancy, .side = CUSTODY_OWNERS};
	redundancy->sides[1] = (struct side){.redundancy = redundancy, .side = CUSTODY_SERVICE};
	redundancy->timer = timer_new(depd->loop, "redundancy", tick, redundancy);
	timer_start(redundancy->timer, IDLE_MS);
	return redundancy;
}

void
redundancy_free(struct redundancy *redundancy)
{
	if (redundancy == NULL)
		return;
	generation_check_cancel(redundancy->depd, redundancy->checking);
	for (size_t i = 0; i < SIDES; i++)
		custody_port_cancel(redundancy->depd->custody, redundancy->sides[i].call);
	timer_free(redundancy->timer);
	free(redundancy);
}
