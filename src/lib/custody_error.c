/* What libcustody gives back besides results: the words of classes, and memory to release. */
#include "custody/custody.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

_Static_assert((int)CUSTODY_CLASS_BAD == (int)ERR_CLASS_BAD, "classes are the same numbers");
_Static_assert((int)CUSTODY_CLASS_DENIED == (int)ERR_CLASS_DENIED, "classes are the same numbers");
_Static_assert((int)CUSTODY_CLASS_UNAVAILABLE == (int)ERR_CLASS_UNAVAILABLE,
	"classes are the same numbers");
_Static_assert(
	(int)CUSTODY_CLASS_INTEGRITY == (int)ERR_CLASS_INTEGRITY, "classes are the same numbers");

const char *
custody_class_name(enum custody_class error_class)
{
	if (error_class < CUSTODY_CLASS_BAD || error_class > CUSTODY_CLASS_INTEGRITY)
		return "";
	return err_class_name((enum err_class)error_class);
}

void
custody_secret_free(struct custody_secret *secret)
{
	if (secret == NULL)
		return;
	if (secret->data != NULL && secret->len > 0)
		explicit_bzero(secret->data, secret->len);
	free(secret->data);
	*secret = (struct custody_secret){NULL, 0};
}

void
custody_text_free(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}
