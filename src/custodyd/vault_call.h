/* What the operations on vaults share: finding the vault of the path, showing vaults. */
#pragma once

#include "api/vault.h"
#include "custodyd/call.h"

/* The vault that names[0] names; NULL with call->err. Borrowed until the vaults are reloaded. */
const struct db_vault *vault_find(struct call *call) MUST_USE;
/* Fills a view; text lives in the request's arena. */
void vault_view(struct call *call, const struct db_vault *vault, struct api_vault *ret_view);
/* Reads the vaults again after a change and answers with the one that the path names. */
enum op_result vault_answer(struct call *call, int status);
