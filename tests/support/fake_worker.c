/*
 * A worker that obeys, for the tests of the supervisor: it speaks the true wire protocol as custody-token does,
 * and misbehaves as it is told. The `uri` of its token names a directory:
 *
 *   control       words read anew at each message: start=… prove=… ping=… and so on (see below); absent: all is well
 *   identity.pem  the identity key; made by enroll
 *   journal       one line for each start, login, message: what the test counts
 *
 * Requests carry their own orders, decrypt in `data` and generate in `label`:
 *
 *   hold    no answer until "release" comes, which then answers all held ones in order, and itself
 *   maybe   hold, if the control file says maybe=hold
 *   crash … the process ends          mute   never answered
 *   twice   answered two times        foreign  answered under an id nobody used
 *   junk    octets that are no message  type   answered as another message
 *   nap     reads nothing for a while           stall  reads nothing any more
 *   short   the answer's record lacks an octet
 *   eof     the channel is closed, the process lives on
 *   spam    a line with control characters and one of 4,000 octets on standard output
 *   error NAME  that error            other  the data comes back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "support/softkey.h"
#include "wire/wire.h"

#define CHANNEL_FD 3
#define HELD_MAX   256
#define NAP_US     100000

extern char **environ;

struct fake {
	char dir[256];
	char control[1024];
	EVP_PKEY *identity;
	struct wire_message held[HELD_MAX]; /* only id and type */
	size_t held_count;
	uint64_t messages;
	bool may_serve;
	bool enrolled;
	uint8_t expected_refused[32];
	bool knows_refused;
};

static void
path_of(const struct fake *fake, const char *name, char path[static 512])
{
	(void)snprintf(path, 512, "%s/%s", fake->dir, name);
}

static void
journal(const struct fake *fake, const char *line)
{
	char path[512];
	path_of(fake, "journal", path);
	FILE *file = fopen(path, "ae");
	if (file == NULL)
		exit(9);
	(void)fprintf(file, "%s\n", line);
	(void)fclose(file);
}

static void
read_control(struct fake *fake)
{
	char path[512];
	path_of(fake, "control", path);
	memset(fake->control, 0, sizeof(fake->control));
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	size_t got = fread(fake->control, 1, sizeof(fake->control) - 1, file);
	fake->control[got] = '\0';
	(void)fclose(file);
}

/* The value of word=value in the control file; "" if it is not there. */
static const char *
told(struct fake *fake, const char *word)
{
	static char value[128];
	read_control(fake);
	size_t len = strlen(word);
	for (const char *at = fake->control; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		at += *at == '\n' ? 1 : 0;
		if (strncmp(at, word, len) == 0 && at[len] == '=') {
			(void)snprintf(value, sizeof(value), "%.*s",
				(int)strcspn(at + len + 1, "\n"), at + len + 1);
			return value;
		}
	}
	return "";
}

static void
send_buf(const struct buf *buf)
{
	struct err err = {0};
	if (wire_send(CHANNEL_FD, buf_bytes(buf), -1, &err) != WIRE_IO_DONE)
		exit(8);
}

static void
answer(const struct wire_message *message, enum wire_type type, uint64_t id, const void *fields)
{
	(void)message;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	if (!wire_encode_answer(&buf, type, id, fields))
		exit(7);
	send_buf(&buf);
}

static void
answer_error(const struct wire_message *message, const char *name, struct bytes detail)
{
	CLEAN(buf)
	struct buf buf;
	struct err err = {0};
	enum err_code code = err_find(name);
	buf_init(&buf, WIRE_MAX);
	(void)err_set(&err, code == ERR_NONE ? ERR_INTERNAL : code, NULL);
	wire_encode_error(&buf, message->type, message->id, &err, detail);
	send_buf(&buf);
}

static void
load_identity(struct fake *fake)
{
	char path[512];
	path_of(fake, "identity.pem", path);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	fake->identity = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	(void)fclose(file);
}

static void
make_identity(struct fake *fake)
{
	char path[512];
	path_of(fake, "identity.pem", path);
	fake->identity = softkey_ec(CURVE_P256);
	FILE *file = fopen(path, "we");
	if (file == NULL ||
		PEM_write_PrivateKey(file, fake->identity, NULL, NULL, 0, NULL, NULL) != 1)
		exit(6);
	(void)fclose(file);
}

static void
tell_step(const struct wire_message *message, const char *step)
{
	CLEAN(buf)
	struct buf buf;
	struct wire_progress_request progress = {step};
	buf_init(&buf, WIRE_MAX);
	if (!wire_encode_request(&buf, WIRE_PROGRESS, message->id, &progress))
		exit(5);
	send_buf(&buf);
}

static void
answer_started(struct fake *fake, const struct wire_message *message, enum wire_state state)
{
	const char *sessions = told(fake, "sessions");
	CLEAN(pubkey)
	struct pubkey *key = fake->identity != NULL ? softkey_pubkey(fake->identity) : NULL;
	struct wire_start_answer started = {
		.state = (uint8_t)state,
		.label = "fake",
		.serial = "0001",
		.manufacturer = "Custody\ntests",
		.model = "obeys",
		.firmware = "1.0",
		.sessions = sessions[0] != '\0' ? (uint16_t)(sessions[0] - '0') : 2,
		.reduced = "copyable modifiable",
		.identity = key != NULL ? pubkey_get_spki(key) : (struct bytes){NULL, 0},
	};
	answer(message, message->type, message->id, &started);
}

static void
answer_logged_in(struct fake *fake, const struct wire_message *message)
{
	fake->may_serve = true;
	answer_started(fake, message, fake->enrolled ? WIRE_STATE_READY : WIRE_STATE_NOT_ENROLLED);
}

/* start=hang | steps | crash | login | pin | error NAME. pin: any PIN is refused, its digest from the word pin=C. */
static void
on_start(struct fake *fake, const struct wire_message *message)
{
	struct wire_start_request start;
	struct err err = {0};
	if (!wire_decode_request(message, &start, &err) || start.version != wire_version())
		exit(4);
	(void)snprintf(fake->dir, sizeof(fake->dir), "%s", start.uri);
	load_identity(fake);
	fake->enrolled = start.identity.len > 0;
	journal(fake, "start");
	for (size_t i = 0; environ[i] != NULL; i++) {
		char line[256];
		(void)snprintf(line, sizeof(line), "env %s", environ[i]);
		journal(fake, line);
	}

	char order[128];
	(void)snprintf(order, sizeof(order), "%s", told(fake, "start"));
	uint8_t digest[32];
	memset(digest, told(fake, "pin")[0], sizeof(digest));
	bool refused_before = start.refused_pin_digest.len == 32 &&
			      memcmp(start.refused_pin_digest.data, digest, 32) == 0;
	tell_step(message, "find token");
	if (strcmp(order, "hang") == 0)
		return;
	if (strcmp(order, "crash") == 0)
		exit(3);
	if (strcmp(order, "login") == 0) {
		answer_started(fake, message, WIRE_STATE_LOGIN_NEEDED);
	} else if (strcmp(order, "pin") == 0) {
		if (!refused_before)
			journal(fake, "login");
		answer_error(message, "PinRefused",
			refused_before ? (struct bytes){NULL, 0} : (struct bytes){digest, 32});
	} else if (strncmp(order, "error ", 6) == 0) {
		answer_error(message, order + 6, (struct bytes){NULL, 0});
	} else {
		journal(fake, "login");
		answer_logged_in(fake, message);
	}
}

/* The PIN of the tests is 1234; what is asked for a line at most. */
static void
on_login(struct fake *fake, const struct wire_message *message, int connection)
{
	char pin[64] = {0};
	tell_step(message, "wait for PIN");
	if (connection < 0 || read(connection, pin, sizeof(pin) - 1) <= 0)
		exit(2);
	journal(fake, "login");
	tell_step(message, "login");
	if (strcmp(pin, "hang\n") == 0)
		(void)pause();
	bool right = strcmp(pin, "1234\n") == 0;
	const char *line = right ? "ok\n" : "error PinRefused The token refused the PIN.\n";
	if (write(connection, line, strlen(line)) < 0)
		exit(2);
	(void)close(connection);
	uint8_t digest[32];
	memset(digest, pin[0], sizeof(digest));
	if (right)
		answer_logged_in(fake, message);
	else
		answer_error(message, "PinRefused", (struct bytes){digest, 32});
}

static void
on_enroll(struct fake *fake, const struct wire_message *message)
{
	if (fake->identity == NULL)
		make_identity(fake);
	fake->enrolled = true;
	CLEAN(pubkey)
	struct pubkey *key = softkey_pubkey(fake->identity);
	struct wire_enroll_answer enrolled = {
		.identity = pubkey_get_spki(key), .lease = WIRE_LEASE_OURS};
	answer(message, message->type, message->id, &enrolled);
}

/* prove=other: another key signs; prove=old: an old challenge is signed. */
static void
on_prove(struct fake *fake, const struct wire_message *message)
{
	struct wire_prove_request prove;
	struct err err = {0};
	if (!wire_decode_request(message, &prove, &err) || fake->identity == NULL)
		exit(4);
	const char *order = told(fake, "prove");
	struct wire_proof proof = {.purpose = WIRE_PROOF_PURPOSE};
	if (strcmp(order, "old") != 0)
		memcpy(proof.challenge, prove.challenge, sizeof(proof.challenge));
	CLEAN(buf)
	struct buf octets;
	buf_init(&octets, 256);
	if (!wire_record_append(&octets, WIRE_RECORD_proof, &proof))
		exit(4);
	uint8_t digest[32], signature[64];
	hash_sha256(octets.data, octets.len, digest);
	EVP_PKEY *signer = strcmp(order, "other") == 0 ? softkey_ec(CURVE_P256) : fake->identity;
	softkey_ecdsa(signer, CURVE_P256, (struct bytes){digest, sizeof(digest)}, signature);
	CLEAN(pubkey)
	struct pubkey *key = softkey_pubkey(fake->identity);
	struct wire_prove_answer proved = {
		.signature = {signature, sizeof(signature)},
                  .identity = pubkey_get_spki(key)
        };
	answer(message, message->type, message->id, &proved);
	if (signer != fake->identity)
		EVP_PKEY_free(signer);
}

/* capabilities=crash | less: without unwrapKey */
static void
on_capabilities(struct fake *fake, const struct wire_message *message)
{
	const char *order = told(fake, "capabilities");
	bool less = strcmp(order, "less") == 0;
	if (strcmp(order, "crash") == 0)
		exit(1);
	CLEAN(buf)
	struct buf algs, attributes;
	buf_init(&algs, 1024);
	buf_init(&attributes, 1024);
	struct wire_capability capability = {.alg = WIRE_ALG_RSA_OAEP_256,
		.ops = less ? WIRE_OP_DECRYPT : WIRE_OP_DECRYPT | WIRE_OP_UNWRAP,
		.how = "raw RSA, padding checked by OpenSSL"};
	struct wire_attribute attribute = {.name = "copyable", .required = 0, .honoured = 1};
	if (!wire_record_append(&algs, WIRE_RECORD_capability, &capability) ||
		!wire_record_append(&attributes, WIRE_RECORD_attribute, &attribute))
		exit(4);
	struct wire_capabilities_answer capabilities = {
		.algs = buf_bytes(&algs), .attributes = buf_bytes(&attributes)};
	answer(message, message->type, message->id, &capabilities);
}

/* ping=error NAME | hang; rss=OCTETS */
static void
on_ping(struct fake *fake, const struct wire_message *message)
{
	journal(fake, "ping");
	const char *order = told(fake, "ping");
	if (strcmp(order, "hang") == 0)
		return;
	if (strncmp(order, "error ", 6) == 0) {
		answer_error(message, order + 6, (struct bytes){NULL, 0});
		return;
	}
	struct wire_ping_answer ping = {.operations = fake->messages, .sessions = 2};
	const char *sessions = told(fake, "sessions");
	ping.sessions = sessions[0] != '\0' ? (uint16_t)(sessions[0] - '0') : 2;
	ping.rss_bytes = strtoull(told(fake, "rss"), NULL, 10);
	answer(message, message->type, message->id, &ping);
}

static void
answer_good(const struct wire_message *message, enum wire_type type, uint64_t id, struct bytes data)
{
	uint8_t spki[] = {0x30};
	struct wire_generate_answer generated = {
		.spki = {spki, 1},
                  .reduced = ""
        };
	struct wire_decrypt_answer decrypted = {data};
	if (type == WIRE_GENERATE)
		answer(message, type, id, &generated);
	else
		answer(message, type, id, &decrypted);
}

static void
answer_short(const struct wire_message *message)
{
	CLEAN(buf)
	struct buf buf;
	struct wire_decrypt_answer decrypted = {bytes_of_text("data")};
	buf_init(&buf, WIRE_MAX);
	if (!wire_encode_answer(&buf, message->type, message->id, &decrypted))
		exit(7);
	buf.data[0] = (uint8_t)--buf.len; /* the datagram's length, below 256 */
	send_buf(&buf);
}

static void
release(struct fake *fake)
{
	for (size_t i = 0; i < fake->held_count; i++)
		answer_good(NULL, fake->held[i].type, fake->held[i].id, bytes_of_text("held"));
	fake->held_count = 0;
}

static void
spam(void)
{
	printf("module says \x1b[31mred\x1b[0m\tand more\n");
	for (int i = 0; i < 4000; i++)
		(void)putchar('x');
	printf("\nlast line\n");
	(void)fflush(stdout);
}

static void
obey(struct fake *fake, const struct wire_message *message, struct bytes data)
{
	char order[256] = {0};
	memcpy(order, data.data, data.len < 255 ? data.len : 255);
	journal(fake, order);
	if (strncmp(order, "crash", 5) == 0)
		exit(1);
	if (strcmp(order, "mute") == 0)
		return;
	if (strcmp(order, "nap") == 0)
		(void)usleep(NAP_US);
	if (strcmp(order, "stall") == 0)
		(void)pause();
	bool held = strcmp(order, "hold") == 0 ||
		    (strcmp(order, "maybe") == 0 && strcmp(told(fake, "maybe"), "hold") == 0);
	if (held && fake->held_count < HELD_MAX) {
		fake->held[fake->held_count++] = *message;
		return;
	}
	if (strcmp(order, "release") == 0)
		release(fake);
	if (strcmp(order, "eof") == 0) {
		(void)close(CHANNEL_FD);
		for (;;)
			(void)pause();
	}
	if (strcmp(order, "spam") == 0)
		spam();
	if (strcmp(order, "junk") == 0) {
		static uint8_t octets[40] = {40, 0, 0, 0, 99};
		struct buf junk = {.data = octets, .len = sizeof(octets)};
		send_buf(&junk);
	} else if (strcmp(order, "short") == 0) {
		answer_short(message);
	} else if (strcmp(order, "type") == 0) {
		struct wire_verify_answer other = {1};
		answer(message, WIRE_VERIFY, message->id, &other);
	} else if (strcmp(order, "foreign") == 0) {
		answer_good(message, message->type, message->id + 1000000, data);
	} else if (strncmp(order, "error ", 6) == 0) {
		answer_error(message, order + 6, (struct bytes){NULL, 0});
	} else {
		answer_good(message, message->type, message->id, data);
		if (strcmp(order, "twice") == 0)
			answer_good(message, message->type, message->id, data);
	}
}

static void
on_request(struct fake *fake, const struct wire_message *message)
{
	struct wire_decrypt_request decrypt;
	struct wire_generate_request generate;
	struct err err = {0};
	if (!fake->may_serve)
		exit(4);
	if (message->type == WIRE_DECRYPT && wire_decode_request(message, &decrypt, &err))
		obey(fake, message, decrypt.data);
	else if (message->type == WIRE_GENERATE && wire_decode_request(message, &generate, &err))
		obey(fake, message, bytes_of_text(generate.label));
	else
		exit(4);
}

static void
serve(struct fake *fake, const struct wire_message *message, int attached)
{
	struct wire_list_answer list = {.total = 3, .foreign = 1};
	fake->messages++;
	if (message->type == WIRE_START)
		on_start(fake, message);
	else if (message->type == WIRE_LOGIN)
		on_login(fake, message, attached);
	else if (message->type == WIRE_ENROLL)
		on_enroll(fake, message);
	else if (message->type == WIRE_PROVE)
		on_prove(fake, message);
	else if (message->type == WIRE_CAPABILITIES)
		on_capabilities(fake, message);
	else if (message->type == WIRE_LIST)
		answer(message, message->type, message->id, &list);
	else if (message->type == WIRE_PING)
		on_ping(fake, message);
	else if (message->type == WIRE_STOP)
		exit(0);
	else
		on_request(fake, message);
}

int
main(void)
{
	static struct fake fake;
	for (;;) {
		CLEAN(buf)
		struct buf buf;
		struct wire_message message;
		struct err err = {0};
		int attached = -1;
		buf_init(&buf, WIRE_MAX);
		if (wire_recv(CHANNEL_FD, &buf, &attached, &err) != WIRE_IO_DONE)
			return 0;
		if (!wire_decode(buf_bytes(&buf), &message, &err))
			return 4;
		serve(&fake, &message, attached);
	}
}
