/* Internal to pkcs11/: what sessions need of their module. */
#pragma once

#include <stdatomic.h>

#include "module.h"
#include "probe.h"

struct module {
	struct _CK_FUNCTION_LIST *ck;
	unsigned long slot;
	struct module_info info;
	bool one_thread;
	bool hardware;
	bool started;
	struct probe probe;    /* filled before the second session is opened */
	_Atomic bool enrolled; /* the identity key was proved in this process */
};
