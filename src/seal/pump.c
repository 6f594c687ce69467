/*
 * Invariant: piece n is written before piece n + 1, and nothing after a piece that failed or was the last.
 * A thread that took a piece waits for its turn in any case, so an error is reported for the first piece that
 * has one.
 */
#include "pump.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "seal/fdio.h"
#include "seal/stream.h"

#define ALIGNMENT 4096 /* a page */
/* A piece, one octet behind it that tells whether more follows, and up to the next page. */
#define BUFFER_LEN (STREAM_SEGMENT_LEN + ALIGNMENT)

struct pump {
	/* constant while threads run */
	int in;
	int out;
	const struct pump_way *way;
	sealed_progress *progress;
	void *progress_data;
	bool seekable;

	pthread_mutex_t read_lock; /* guards the next group */
	uint32_t next_read;
	off_t offset;     /* of piece next_read, if seekable */
	bool input_ended; /* the last piece was taken */
	bool has_carry;   /* not seekable: the octet behind the piece before */
	uint8_t carry;

	pthread_mutex_t turn_lock; /* guards the next group; never taken while read_lock is held */
	pthread_cond_t turn_changed;
	uint32_t next_write;
	bool ended; /* the last piece is written, or one failed */
	bool failed;
	struct err err;
	uint64_t done_bytes;
};

struct piece {
	uint32_t number;
	off_t offset;
	bool last;
	size_t len;
	uint8_t *data; /* BUFFER_LEN */
};

struct worker {
	struct pump *pump;
	void *state;
	bool is_caller;
	uint8_t *buffer;
	size_t used; /* octets of the buffer that may hold content */
};

/* From a pipe: in order, so under the lock, with the octet that the piece before read too much. */
static bool
read_stream(struct pump *pump, struct piece *piece, size_t full, struct err *err)
{
	size_t have = 0;
	size_t got = 0;
	if (pump->has_carry)
		piece->data[have++] = pump->carry;
	if (!fdio_read(pump->in, piece->data + have, full + 1 - have, -1, &got, err))
		return false;
	have += got;
	pump->has_carry = have > full;
	if (pump->has_carry)
		pump->carry = piece->data[full];
	piece->last = !pump->has_carry;
	piece->len = piece->last ? have : full;
	return true;
}

/* From a file: side by side with the other thread. */
static bool
read_file(struct pump *pump, struct piece *piece, size_t full, struct err *err)
{
	size_t got = 0;
	if (!fdio_read(pump->in, piece->data, full + 1, piece->offset, &got, err))
		return false;
	piece->last = got <= full;
	piece->len = piece->last ? got : full;
	return true;
}

/* Takes the next piece. False with *ret_taken false: there is none. False with it true: reading failed. */
static bool
take(struct pump *pump, struct piece *piece, bool *ret_taken, struct err *err)
{
	bool good = true;
	size_t full = 0;
	(void)pthread_mutex_lock(&pump->read_lock);
	*ret_taken = !pump->input_ended;
	if (*ret_taken) {
		piece->number = pump->next_read++;
		piece->offset = pump->offset;
		full = pump->way->piece_len(piece->number);
		pump->offset += (off_t)full;
		if (!pump->seekable)
			good = read_stream(pump, piece, full, err);
		/* The format counts segments in 32 bits. */
		pump->input_ended =
			!good || (!pump->seekable && piece->last) || pump->next_read == UINT32_MAX;
	}
	(void)pthread_mutex_unlock(&pump->read_lock);
	if (!*ret_taken || !good || !pump->seekable)
		return *ret_taken && good;
	if (!read_file(pump, piece, full, err))
		return false;
	if (piece->last) {
		(void)pthread_mutex_lock(&pump->read_lock);
		pump->input_ended = true;
		(void)pthread_mutex_unlock(&pump->read_lock);
	}
	return true;
}

/* True: it is this piece's turn. False: the pump ended before it. */
static bool
await_turn(struct pump *pump, uint32_t number)
{
	(void)pthread_mutex_lock(&pump->turn_lock);
	while (!pump->ended && pump->next_write != number)
		(void)pthread_cond_wait(&pump->turn_changed, &pump->turn_lock);
	bool mine = !pump->ended;
	(void)pthread_mutex_unlock(&pump->turn_lock);
	return mine;
}

static void
pass_turn(struct pump *pump, const struct piece *piece, bool good, const struct err *err)
{
	(void)pthread_mutex_lock(&pump->turn_lock);
	pump->next_write++;
	pump->done_bytes += piece->len;
	pump->ended = !good || piece->last;
	pump->failed = !good;
	if (!good)
		pump->err = *err;
	(void)pthread_cond_broadcast(&pump->turn_changed);
	(void)pthread_mutex_unlock(&pump->turn_lock);
}

/* In this piece's turn, so nobody else writes or changes done_bytes. */
static bool
deliver(struct worker *worker, const struct piece *piece, size_t out_len, struct err *err)
{
	struct pump *pump = worker->pump;
	bool vanished = pump->seekable && piece->number > 0 && piece->len == 0;
	if (vanished)
		return err_set(err, ERR_CLIENT_FILE, "The input was cut while it was read.");
	if (!piece->last && piece->number == UINT32_MAX - 1)
		return err_set(err, ERR_CLIENT_FILE, "The input is too long.");
	if (!fdio_write(pump->out, piece->data, out_len, err))
		return false;
	if (!worker->is_caller || pump->progress == NULL)
		return true;
	return pump->progress(pump->progress_data, pump->done_bytes + piece->len) ||
	       err_set(err, ERR_CLIENT_FILE, "Stopped.");
}

/* Wiping all of both buffers costs a small content more than sealing it. */
static void
note_used(struct worker *worker, const struct piece *piece, bool was_read)
{
	size_t used = was_read ? piece->len + STREAM_TAG_LEN + 1 : BUFFER_LEN;
	if (used > worker->used)
		worker->used = used;
}

static void *
work(void *data)
{
	struct worker *worker = data;
	struct pump *pump = worker->pump;
	struct piece piece = {.data = worker->buffer};
	for (;;) {
		struct err err = {0};
		bool taken = false;
		size_t out_len = 0;
		bool good = take(pump, &piece, &taken, &err);
		if (!taken)
			return NULL;
		note_used(worker, &piece, good);
		good = good && pump->way->transform(worker->state, piece.number, piece.last,
				       piece.data, piece.len, &out_len, &err);
		if (!await_turn(pump, piece.number))
			return NULL;
		good = good && deliver(worker, &piece, out_len, &err);
		pass_turn(pump, &piece, good, &err);
		if (!good || piece.last)
			return NULL;
	}
}

/* A second thread pays from the second piece on. */
static bool
is_short(int in)
{
	struct stat status;
	return fstat(in, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_size <= STREAM_SEGMENT_LEN;
}

static void
run_threads(struct worker *workers, bool alone)
{
	/* The host program's signals are handled by the host program's threads. */
	sigset_t all;
	sigset_t before;
	pthread_t thread;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	bool helped = !alone && pthread_create(&thread, NULL, work, &workers[1]) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)work(&workers[0]);
	if (helped)
		(void)pthread_join(thread, NULL);
}

static bool
finish(struct pump *pump, struct err *err)
{
	if (pump->failed) {
		*err = pump->err;
		return false;
	}
	/* The other thread may have written the last piece. */
	if (pump->progress != NULL && !pump->progress(pump->progress_data, pump->done_bytes))
		return err_set(err, ERR_CLIENT_FILE, "Stopped.");
	return true;
}

bool
pump_run(int in, int out, const struct pump_way *way, void *const workers[static PUMP_THREADS],
	sealed_progress *progress, void *progress_data, struct err *err)
{
	struct pump pump = {
		.in = in,
		.out = out,
		.way = way,
		.progress = progress,
		.progress_data = progress_data,
		.offset = lseek(in, 0, SEEK_CUR),
		.read_lock = PTHREAD_MUTEX_INITIALIZER,
		.turn_lock = PTHREAD_MUTEX_INITIALIZER,
		.turn_changed = PTHREAD_COND_INITIALIZER,
	};
	pump.seekable = pump.offset >= 0;
	if (pump.seekable) /* advice: nothing depends on it */
		(void)posix_fadvise(in, 0, 0, POSIX_FADV_SEQUENTIAL);
	struct worker states[PUMP_THREADS];
	uint8_t *buffers = aligned_alloc(ALIGNMENT, PUMP_THREADS * (size_t)BUFFER_LEN);
	if (buffers == NULL)
		return err_set(err, ERR_NO_MEMORY, NULL);
	for (size_t i = 0; i < PUMP_THREADS; i++)
		states[i] = (struct worker){&pump, workers[i], i == 0, buffers + i * BUFFER_LEN, 0};
	run_threads(states, is_short(in));
	for (size_t i = 0; i < PUMP_THREADS; i++)
		secret_wipe(states[i].buffer, states[i].used);
	free(buffers);
	return finish(&pump, err);
}
