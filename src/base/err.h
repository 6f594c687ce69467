/*
 * The one error type, from the bottom to the HTTP answer.
 *
 * A fallible function returns bool (or a pointer) and takes `struct err *err` last, never NULL.
 * On failure it fills *err and returns false (NULL); on success it leaves *err alone.
 * An err never holds a secret; text of a caller is escaped before it gets in.
 */
#pragma once

#include <stdbool.h>

#include "attr.h"

enum err_class {
	ERR_CLASS_BAD = 1,     /* the input cannot be right */
	ERR_CLASS_DENIED,      /* the catalog says no */
	ERR_CLASS_UNAVAILABLE, /* a device, worker, disk or time-out; also our own bugs */
	ERR_CLASS_INTEGRITY,   /* our own records contradict each other */
};

enum err_code {
	ERR_NONE,
#define ERR(symbol, name, class, status, code, inner, retry, sentence) ERR_##symbol,
#include "err.tbl"
	ERR_COUNT
};

struct err {
	enum err_code code;
	int retry_after_s; /* when trying again may help; 0: as the code says */
	char message[320]; /* sentence for a person; goes to the caller */
	char origin
		[128]; /* CKR_*, errno, SQL, parser position: for the log only, never to the caller */
};

/*
 * Sets *err to `code`. `fmt` NULL takes the code's default sentence. Over-long text is cut.
 * Control characters in the result are replaced by '?'. Always returns false.
 */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* Notes where the error came from ("C_Decrypt: CKR_DEVICE_ERROR"), for the log. Always returns false. */
bool err_origin(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* err_set() with origin `call: strerror(error)`; ENOSPC and EDQUOT become ERR_STORAGE_FULL. Returns false. */
bool err_errno(struct err *err, enum err_code code, int error, const char *call);

void err_clear(struct err *err);

/* Columns of err.tbl. `code` must be one of the table, not ERR_NONE (asserted). Static strings. */
const char *err_name(enum err_code code);
enum err_class err_class(enum err_code code);
const char *err_class_name(enum err_class class); /* "bad", "denied", "unavailable", "integrity" */
int err_status(enum err_code code);
const char *err_dialect_code(enum err_code code);
const char *err_dialect_inner(enum err_code code); /* "" for none */
bool err_retryable(enum err_code code);
const char *err_sentence(enum err_code code);

/* The code of a stable name, ERR_NONE if there is none of that name. */
enum err_code err_find(const char *name);
/* The row that an answer's status, code and inner code ("" for none) came from: the one so named, else the first; ERR_NONE if none did. */
enum err_code err_find_answer(int status, const char *code, const char *inner);
