/* Blocks of GCM uses reserved but not yet used, in memory only. Internal to src/db. */
#pragma once

struct db_gcm;

struct db_gcm *db_gcm_new(void);
void db_gcm_free(struct db_gcm *gcm);
/* Gives up all reserved blocks, as a crash would. */
void db_gcm_forget(struct db_gcm *gcm);
