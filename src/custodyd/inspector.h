/*
 * Looking at the keys of a token again, without being asked: is each still there, alone, the one of its fingerprint, and with the
 * attributes that it was made with (threats A5, A9, A10, A11)? Every hour on a token that does not honour all hardening attributes,
 * every day on another, one key at a time. What is wrong is told in log and status; the worker refuses such a key by itself at its
 * next look, and an attribute that differs is for a person to judge: nothing is changed, neither here nor on the token.
 */
#pragma once

#include "base/attr.h"

struct custodyd;
struct inspector;

/* `daemon` is borrowed; its tokens may come later. */
struct inspector *inspector_new(struct custodyd *daemon);
void inspector_free(struct inspector *inspector);

/* Call every few seconds: begins what is due, by the trusted time. */
void inspector_tick(struct inspector *inspector);

DEFINE_CLEAN(inspector, struct inspector)
