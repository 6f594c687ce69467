#include "archive_err.h"

#include <errno.h>
#include <string.h>

bool
archive_err_set(struct err *err, enum err_code code, struct archive *archive, const char *call)
{
	int error = archive_errno(archive);
	const char *reason = archive_error_string(archive);
	if (error == ENOSPC || error == EDQUOT)
		code = ERR_STORAGE_FULL;
	if (code != ERR_CLIENT_FILE || reason == NULL)
		(void)err_set(err, code, NULL);
	else if (error > 0 && strstr(reason, strerror(error)) == NULL)
		(void)err_set(err, code, "%s: %s.", reason, strerror(error));
	else
		(void)err_set(err, code, "%s.", reason);
	return err_origin(err, "%s: %s", call, reason != NULL ? reason : "no reason given");
}
