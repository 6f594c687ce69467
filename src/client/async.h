/*
 * The same requests as client.h, from an event loop: nothing blocks, many at once, each answered by a callback. Nothing is
 * repeated: the caller knows what a failure means to him. For daemons that are clients of another daemon.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "client/client.h"
#include "loop/loop.h"

struct async;

/*
 * `answer` NULL: there was none, for `err`. Both are borrowed until it returns; the body is wiped after. Called from the
 * loop, once for each call that was not cancelled; it may begin and cancel calls, but not free the whole.
 */
typedef void async_done_fn(void *ctx, const struct client_answer *answer, const struct err *err);

/* `config` is copied, what it points to is borrowed; retries and waiting are not used. `answer_max` bounds each answer's body, octets. */
struct async *async_new(struct loop *loop, const struct client_config *config, size_t answer_max,
	struct err *err) MUST_USE;
/* Calls under way are cancelled: their callbacks do not come. */
void async_free(struct async *async);

/*
 * Begins a request, all of which is copied. Returns its number, never 0, by which it can be cancelled; 0: ERR_URI_TOO_LONG or
 * ERR_NO_MEMORY, and no callback comes.
 */
uint64_t async_call(struct async *async, const struct client_request *request, async_done_fn *done,
	void *ctx, struct err *err) MUST_USE;
/* Its callback does not come any more. A number that ended is ignored. */
void async_cancel(struct async *async, uint64_t number);
size_t async_running(const struct async *async);

DEFINE_CLEAN(async, struct async)
