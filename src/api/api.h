/* Start of everything that reads requests with secrets in them. */
#pragma once

/* Programs only, first in main(): the memory of parsed bodies is wiped when freed, whether they were good or not. */
void api_memory_init(void);
