/*
 * Internal to pkcs11/: the one builder of templates. Every security attribute is set, each once, nothing is left to
 * a token's defaults (threat A8); purposes are disjoint (A1, A3); what a template says is read back from the object.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "pkcs11/hsmkey.h"

struct _CK_ATTRIBUTE;
struct probe;
struct session;

enum template_half {
	TEMPLATE_PRIVATE, /* of a pair */
	TEMPLATE_PUBLIC,  /* of a pair */
	TEMPLATE_SECRET,
};

struct template;

/*
 * For a key of `spec`, as this token serves it. Hardening attributes that the token does not know are left out.
 * `token` false: a session object, for trials.
 */
struct template *template_new(const struct hsmkey_spec *spec, const struct probe *probe,
	enum template_half half, bool token);
void template_free(struct template *template);

/* For C_GenerateKey and its like; borrowed. */
struct _CK_ATTRIBUTE *template_attributes(const struct template *template, size_t *ret_count);

/*
 * Reads every attribute back and compares. ERR_TOKEN_REDUCED names a required attribute that differs; hardening
 * ones that differ are added to *reduced (a bit for each, see attr_name()).
 */
bool template_verify(const struct template *template, struct session *session, unsigned long object,
	uint32_t *reduced, struct err *err) MUST_USE;

DEFINE_CLEAN(template, struct template)
