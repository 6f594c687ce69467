/* Approvers' certificates and their signatures: nothing that is derived from one approves, and what is taken is what it says. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"

static void
fuzz_certificate(struct bytes text)
{
	struct err err = {0};
	CLEAN(certificate)
	struct certificate *certificate = certificate_parse(text, &err);
	if (certificate == NULL) {
		assert(err.code == ERR_CERTIFICATE_REFUSED);
		return;
	}
	const char *subject = certificate_get_subject(certificate);
	assert(subject[0] != '\0' && strlen(subject) <= CERTIFICATE_SUBJECT_MAX);
	for (const char *at = subject; *at != '\0'; at++)
		assert(*at >= ' ' && *at <= '~');

	struct bytes der = certificate_get_der(certificate);
	CLEAN(certificate)
	struct certificate *again = certificate_parse(der, &err);
	assert(again == NULL || bytes_equal(certificate_get_der(again), der));
	/* an authority of itself approves nothing: it is no person's certificate, or not issued by one that counts */
	(void)(certificate_check(certificate, text, 1772323200, &err) ||
		err.code == ERR_CERTIFICATE_REFUSED);
}

static void
fuzz_signature(struct bytes text)
{
	struct err err = {0};
	size_t signer;
	assert(!certificate_verify(
		text, bytes_of_text("a document"), NULL, 0, text, 1772323200, &signer, &err));
	assert(err.code == ERR_APPROVAL_REFUSED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct err err = {0};
	if (!begun && !crypto_init(&err))
		return 0;
	begun = true;
	fuzz_certificate((struct bytes){data, size});
	fuzz_signature((struct bytes){data, size});
	return 0;
}
