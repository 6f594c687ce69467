/* Invariant: parsed JSON of a program that called this is never freed unwiped. */
#include "api.h"

#include "json/json.h"

void
api_memory_init(void)
{
	json_memory_init();
}
