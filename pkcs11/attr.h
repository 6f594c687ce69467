/* Names and kinds of the attributes that matter, from attr.tbl, and sets of them as bits. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

enum attr {
#define ATTR(symbol, name, kind) ATTR_##symbol,
#include "attr.tbl"
	ATTR_COUNT
};

#define ATTR_BIT(attr) (UINT32_C(1) << (attr))

/* `attr` must be of the table (asserted). */
const char *attr_name(enum attr attr);
bool attr_is_hardening(enum attr attr);
unsigned long attr_type(enum attr attr);
/* ATTR_COUNT for a CKA_ that is not in the table. */
enum attr attr_find_type(unsigned long type);

/* The set of blank-separated names; ERR_CONFIG names one that is no hardening attribute. */
bool attr_set_parse(const char *names, uint32_t *ret_set, struct err *err) MUST_USE;
#define ATTR_SET_TEXT 128
/* The names of the hardening attributes of a set, blank-separated. */
void attr_set_format(uint32_t set, char text[static ATTR_SET_TEXT]);
