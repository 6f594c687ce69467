/* Every operation that a route can start, one file each; see route.tbl for which path starts which. */
#pragma once

#include "custodyd/call.h"

extern const struct call_type key_create_type;          /* key_create.c */
extern const struct call_type key_import_type;          /* key_create.c */
extern const struct call_type key_rotate_type;          /* key_create.c */
extern const struct call_type random_type;              /* random_draw.c */
extern const struct call_type key_rotation_get_type;    /* key_rotation.c */
extern const struct call_type key_rotation_set_type;    /* key_rotation.c */
extern const struct call_type key_use_type;             /* key_use.c */
extern const struct call_type key_get_type;             /* key_read.c */
extern const struct call_type key_custody_type;         /* key_custody.c */
extern const struct call_type key_list_type;            /* key_list.c */
extern const struct call_type key_versions_type;        /* key_list.c */
extern const struct call_type deleted_key_list_type;    /* key_list.c */
extern const struct call_type deleted_key_get_type;     /* key_read.c */
extern const struct call_type key_update_type;          /* key_change.c */
extern const struct call_type key_delete_type;          /* key_change.c */
extern const struct call_type key_recover_type;         /* key_change.c */
extern const struct call_type key_purge_type;           /* key_purge.c */
extern const struct call_type not_served_type;          /* key_read.c */
extern const struct call_type vault_create_type;        /* vault_change.c */
extern const struct call_type vault_update_type;        /* vault_change.c */
extern const struct call_type vault_delete_type;        /* vault_change.c */
extern const struct call_type vault_get_type;           /* vault_read.c */
extern const struct call_type vault_list_type;          /* vault_read.c */
extern const struct call_type vault_availability_type;  /* vault_read.c */
extern const struct call_type vault_policy_set_type;    /* vault_policy.c */
extern const struct call_type vault_policy_delete_type; /* vault_policy.c */
extern const struct call_type token_list_type;          /* token_read.c */
extern const struct call_type token_get_type;           /* token_read.c */
extern const struct call_type token_enroll_type;        /* token_enroll.c */
extern const struct call_type health_type;              /* health.c */
extern const struct call_type status_type;              /* health.c */
extern const struct call_type doctor_type;              /* doctor.c */
extern const struct call_type catalog_accept_type;      /* catalog_accept.c */
extern const struct call_type clock_confirm_type;       /* clock_confirm.c */
extern const struct call_type dual_make_type;           /* dual_make.c */
extern const struct call_type dual_unwrap_type;         /* dual_unwrap.c */
extern const struct call_type dual_check_type;          /* dual_check.c */
extern const struct call_type dual_rewrap_type;         /* dual_rewrap.c */
