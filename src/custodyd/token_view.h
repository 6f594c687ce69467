/* A token's status as the API shows it. */
#pragma once

#include "api/status.h"
#include "custodyd/call.h"

/* Text lives in the request's arena. */
void token_view(struct call *call, const struct token *token, struct api_token *ret_view);
