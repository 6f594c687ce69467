/* The vaults in memory: they are few, and every request needs one. Loaded at start, kept equal to the catalog. */
#pragma once

#include "base/err.h"
#include "db/db_vault.h"

struct vaults;

struct vaults *vaults_new(struct db *db, struct err *err) MUST_USE;
void vaults_free(struct vaults *vaults);

/* By name in any case; borrowed until the next reload. NULL: none. Counts of keys are not kept up to date. */
const struct db_vault *vaults_find(const struct vaults *vaults, const char *name);
/* By id. */
const struct db_vault *vaults_find_id(const struct vaults *vaults, int64_t id);
size_t vaults_count(const struct vaults *vaults);
/* In order of folded names; `index` below the count. */
const struct db_vault *vaults_get(const struct vaults *vaults, size_t index);

/* Reads all rows again: after each change. On failure the old ones stay. */
bool vaults_reload(struct vaults *vaults, struct err *err) MUST_USE;
