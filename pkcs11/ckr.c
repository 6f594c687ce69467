/* Invariant: every return value gets a class, and none that is not CKR_OK becomes success. */
#include "ckr.h"

#include "ck.h"

static const struct ckr rows[] = {
#define CKR(symbol, code, repair, data)                                                            \
	{CKR_##symbol, "CKR_" #symbol, ERR_##code, CKR_REPAIR_##repair, CKR_DATA_##data},
#include "ckr.tbl"
};

static const struct ckr vendor = {0, NULL, ERR_UNAVAILABLE, CKR_REPAIR_SESSION, CKR_DATA_SAME};

const struct ckr *
ckr_find(unsigned long rv)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].rv == rv)
			return &rows[i];
	}
	return &vendor;
}

bool
ckr_set(struct err *err, const char *function, unsigned long rv)
{
	const struct ckr *row = ckr_find(rv);
	(void)err_set(err, row->code, NULL);
	if (row->name == NULL)
		return err_origin(err, "%s: 0x%lx", function, rv);
	return err_origin(err, "%s: %s", function, row->name);
}
