/* Return values of Cryptoki: names, error codes, what can be done about them. All from ckr.tbl; thread-safe. */
#pragma once

#include "base/err.h"

enum ckr_repair {
	CKR_REPAIR_NONE,
	CKR_REPAIR_HANDLE,  /* forget the cached handle, search again, retry once */
	CKR_REPAIR_SESSION, /* another session, retry once */
	CKR_REPAIR_REPLACE, /* this process is of no more use */
};

enum ckr_data {
	CKR_DATA_SAME,  /* not about the data */
	CKR_DATA_BAD,   /* a caller's data cannot be right */
	CKR_DATA_DOUBT, /* a known-answer operation decides */
};

struct ckr {
	unsigned long rv;
	const char *name; /* "CKR_DEVICE_ERROR"; NULL for a value that no standard has */
	enum err_code code;
	enum ckr_repair repair;
	enum ckr_data data;
};

/* The row of a return value other than CKR_OK; for unknown values the row of all vendors' own. Static. */
const struct ckr *ckr_find(unsigned long rv);

/* Sets *err by the table, with "C_Function: CKR_NAME" or its number as origin. Returns false. */
bool ckr_set(struct err *err, const char *function, unsigned long rv);
