/* Internal to src/api: what vaults and the status share. */
#pragma once

#include "api/vault.h"
#include "json/json_writer.h"

/* The members of VaultItem, which are those of Vault but accessPolicies, into an object that is open. */
void api_vault_item_members(struct json_writer *writer, const struct api_vault *vault);
