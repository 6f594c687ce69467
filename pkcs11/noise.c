#include "noise.h"

#include "ck.h"
#include "session_priv.h"

static bool
draw(struct session *session, void *args, struct err *err)
{
	struct secret *noise = args;
	CK_RV rv = session->ck->C_GenerateRandom(
		session->handle, secret_data(noise), secret_len(noise));
	return rv == CKR_OK || session_fail(session, "C_GenerateRandom", rv, err);
}

bool
noise_draw(struct session *session, size_t len, struct secret **ret_noise, struct err *err)
{
	if (len == 0 || len > NOISE_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "Not a number of random octets.");
	struct secret *noise = secret_new(len);
	if (noise == NULL)
		return err_set(err, ERR_NO_MEMORY, NULL);
	if (session_run(session, draw, noise, err)) {
		*ret_noise = noise;
		return true;
	}
	secret_free(noise);
	return false;
}
