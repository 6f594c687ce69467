/*
 * Looking at the keys of a token again, without being asked: is each still there, alone, the one of its fingerprint, and with the
 * attributes that it was made with (threats A5, A9, A10, A11)? Every hour on a token that does not honour all hardening attributes,
 * every day on another, one key at a time. What is wrong is told in log and status; the worker refuses such a key by itself at its
 * next look, and an attribute that differs is for a person to judge: nothing is changed, neither here nor on the token.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct custodyd;
struct db_key;
struct db_version;
struct inspector;
struct task;

/* `daemon` is borrowed; its tokens may come later. */
struct inspector *inspector_new(struct custodyd *daemon);
void inspector_free(struct inspector *inspector);

/* Call every few seconds: begins what is due, by the trusted time. */
void inspector_tick(struct inspector *inspector);

/* Asks the token to look at one key, slot 0; delivered is nothing, or what is wrong with it. */
bool inspector_ask(struct task *task, const char *token, const struct db_key *key,
	const struct db_version *version, struct err *err) MUST_USE;

DEFINE_CLEAN(inspector, struct inspector)
