/* Internal to pkcs11/: whether a token honours our security attributes, tried on session objects. */
#pragma once

#include "pkcs11/probe.h"

/* Hardening attributes that the token does not even take in a template: fills probe->unknown. */
void effect_find_unknown(struct session *session, struct probe *probe);
/* Fills probe->tried and probe->reduced. */
void effect_try(struct session *session, struct probe *probe);
