/* Every operation that a route can start; see dep_route.tbl for which path starts which. */
#pragma once

#include "depd/dep_call.h"

extern const struct dep_call_type blind_extend_type, blind_show_type; /* blind_extend.c */
extern const struct dep_call_type datakey_generate_type;              /* datakey.c */
extern const struct dep_call_type datakey_unwrap_type;
extern const struct dep_call_type dep_health_type; /* dep_health.c */
extern const struct dep_call_type dep_status_type;
extern const struct dep_call_type dep_flush_type;
extern const struct dep_call_type dep_clock_confirm_type;               /* dep_clock_confirm.c */
extern const struct dep_call_type geo_list_type, geo_show_type;         /* geo_read.c */
extern const struct dep_call_type geo_recover_type;                     /* geo_recover.c */
extern const struct dep_call_type geo_register_type;                    /* geo_register.c */
extern const struct dep_call_type geo_rollback_type, geo_purge_type;    /* geo_refused.c */
extern const struct dep_call_type geo_update_type;                      /* geo_update.c */
extern const struct dep_call_type scope_assign_type;                    /* scope_assign.c */
extern const struct dep_call_type scope_list_type;                      /* scope_read.c */
extern const struct dep_call_type scope_moved_type;                     /* scope_moved.c */
extern const struct dep_call_type scope_register_type;                  /* scope_register.c */
extern const struct dep_call_type scope_show_type;                      /* scope_read.c */
extern const struct dep_call_type policy_create_type;                   /* policy_create.c */
extern const struct dep_call_type policy_list_type, policy_show_type;   /* policy_read.c */
extern const struct dep_call_type policy_change_type;                   /* policy_change.c */
extern const struct dep_call_type policy_refresh_type;                  /* policy_refresh.c */
extern const struct dep_call_type policy_recover_type;                  /* policy_recover.c */
extern const struct dep_call_type policy_validate_type;                 /* policy_validate.c */
extern const struct dep_call_type tenant_show_type, tenant_assign_type; /* tenant_assignment.c */
extern const struct dep_call_type tenant_rollback_type;                 /* tenant_rollback.c */
extern const struct dep_call_type approver_add_type, approver_replace_type; /* approver_call.c */
extern const struct dep_call_type approver_list_type;
extern const struct dep_call_type purge_request_type;                  /* purge_request.c */
extern const struct dep_call_type purge_approve_type, purge_show_type; /* purge_approve.c */
extern const struct dep_call_type purge_cancel_type;
extern const struct dep_call_type purge_certify_type, purge_certificate_type; /* purge_certify.c */
extern const struct dep_call_type organization_show_type; /* organization_call.c */

/* Roles that may see, and that may change, policies of some kind; the operations look at the kind. */
#define POLICY_READERS                                                                             \
	(ROLE_GLOBAL_ADMIN | ROLE_COMPLIANCE_ADMIN | ROLE_EXCHANGE_ADMIN | ROLE_AUDITOR |          \
		ROLE_RECOVERY_ADMIN | ROLE_PURGE_REQUESTER)
#define POLICY_WRITERS (ROLE_GLOBAL_ADMIN | ROLE_COMPLIANCE_ADMIN | ROLE_EXCHANGE_ADMIN)
#define GEO_WRITERS    (ROLE_GLOBAL_ADMIN | ROLE_SHAREPOINT_ADMIN)
#define GEO_READERS    (GEO_WRITERS | ROLE_AUDITOR | ROLE_RECOVERY_ADMIN)
