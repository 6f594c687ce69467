/*
 * What a worker told about its token: texts of the token info, capabilities, counts. Everything a peer says is
 * bounded and copied here.
 */
#pragma once

#include "base/buf.h"
#include "custodyd/token.h"
#include "custodyd/tokens.h"

struct device {
	char label[TOKEN_TEXT_MAX], serial[TOKEN_TEXT_MAX], manufacturer[TOKEN_TEXT_MAX],
		model[TOKEN_TEXT_MAX], firmware[TOKEN_TEXT_MAX];
	uint32_t flags;    /* WIRE_TOKEN_* */
	unsigned sessions; /* threads that serve, at least 1 */
	bool enrolled;
	enum wire_lease lease; /* 0: not told */
	char owner[33];        /* of the lease, hex; "" if it names none */
	uint64_t counter;
	char reduced[TOKEN_REDUCED_MAX][TOKEN_TEXT_MAX];
	size_t reduced_count;
	struct token_algorithm algorithms[TOKEN_ALGORITHMS_MAX];
	size_t algorithm_count;
	struct token_attribute attributes[TOKEN_ATTRIBUTES_MAX];
	size_t attribute_count;
	struct buf capability; /* the record as it came */
	int64_t objects_ours, objects_foreign;
};

struct device *device_new(void);
void device_free(struct device *device);

/* What a worker told of the token's lease: enum wire_lease, and the rest of it. */
void device_take_lease(
	struct device *device, unsigned lease, const uint8_t owner[static 16], uint64_t counter);
void device_started(struct device *device, const struct wire_start_answer *answer);
/* ERR_INTERNAL: a list in it is malformed, or it is too long. */
bool device_capable(struct device *device, const struct wire_capabilities_answer *answer,
	struct err *err) MUST_USE;
void device_listed(struct device *device, const struct wire_list_answer *answer);

/*
 * Names in `text` (cut to `size`) the algorithms that the token served when it was enrolled and does not serve now.
 * false: none. `enrolled` is a capability record; empty or unreadable: nothing is known to be lost.
 */
bool device_lost(const struct device *device, struct bytes enrolled, char *text, size_t size);

/* A peer's text, cut to `size` with its NUL; what is not printable ASCII becomes '?'. */
void device_copy_text(char *target, size_t size, const char *source);

DEFINE_CLEAN(device, struct device)
