/*
 * Straight lines from a request's struct to the token and back to an answer's struct. Invariant: an answer borrows from
 * the reply, from the module's constant information, or from nothing.
 */
#include "handler.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/identity.h"
#include "pkcs11/inspect.h"
#include "pkcs11/inventory.h"
#include "pkcs11/noise.h"
#include "pkcs11/probe.h"
#include "token/handler_key.h"
#include "token/handler_lease.h"

#define LIST_ROOM   60000 /* octets of a list: the rest of the answer fits beside it */
#define OBJECT_SIZE (HSMKEY_ID_LEN + 1 + 4 + HSMKEY_LABEL_MAX + 1)

_Static_assert((int)KEY_RSA == (int)WIRE_KTY_RSA && (int)KEY_EC == (int)WIRE_KTY_EC &&
		       (int)KEY_AES == (int)WIRE_KTY_AES && (int)KEY_HMAC == (int)WIRE_KTY_HMAC,
	"one numbering");
_Static_assert((int)CURVE_P256 == (int)WIRE_CURVE_P256 && (int)CURVE_P384 == (int)WIRE_CURVE_P384 &&
		       (int)CURVE_P521 == (int)WIRE_CURVE_P521 &&
		       (int)CURVE_P256K == (int)WIRE_CURVE_P256K,
	"one numbering");
_Static_assert(KEY_OP_ENCRYPT == WIRE_OP_ENCRYPT && KEY_OP_DECRYPT == WIRE_OP_DECRYPT &&
		       KEY_OP_SIGN == WIRE_OP_SIGN && KEY_OP_VERIFY == WIRE_OP_VERIFY &&
		       KEY_OP_WRAP == WIRE_OP_WRAP && KEY_OP_UNWRAP == WIRE_OP_UNWRAP,
	"one numbering");
_Static_assert(HSMKEY_LOCAL == WIRE_PROVENANCE_LOCAL &&
		       HSMKEY_ALWAYS_SENSITIVE == WIRE_PROVENANCE_ALWAYS_SENSITIVE &&
		       HSMKEY_NEVER_EXTRACTABLE == WIRE_PROVENANCE_NEVER_EXTRACTABLE,
	"one numbering");
_Static_assert((int)INVENTORY_PRIVATE == (int)WIRE_CLASS_PRIVATE &&
		       (int)INVENTORY_PUBLIC == (int)WIRE_CLASS_PUBLIC &&
		       (int)INVENTORY_SECRET == (int)WIRE_CLASS_SECRET &&
		       (int)INVENTORY_OTHER == (int)WIRE_CLASS_OTHER,
	"one numbering");

void
handler_reply_init(struct handler_reply *reply)
{
	*reply = (struct handler_reply){.secret = NULL};
	buf_init(&reply->fresh.data, WIRE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(reply->lists); i++)
		buf_init(&reply->lists[i], WIRE_MAX);
}

void
handler_reply_clear(struct handler_reply *reply)
{
	buf_reset(&reply->fresh.data);
	for (size_t i = 0; i < ARRAY_LEN(reply->lists); i++)
		buf_reset(&reply->lists[i]);
	secret_free(reply->secret);
	reply->secret = NULL;
}

typedef bool handler(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err);

/* --- the token as a whole --- */

static bool
prove(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	struct wire_proof proof = {.purpose = WIRE_PROOF_PURPOSE};
	memcpy(proof.challenge, request->prove_request.challenge, sizeof(proof.challenge));
	struct wire_prove_answer *answer = &reply->answer.prove_answer;
	return handler_sign_record(session, WIRE_RECORD_proof, &proof, reply, &answer->signature,
		&answer->identity, err);
}

static bool
list_algs(struct agent *agent, const struct probe *probe, struct buf *list)
{
	for (enum wire_alg alg = WIRE_ALG_NONE + 1; alg < WIRE_ALG_COUNT; alg++) {
		enum mech mech = agent->mechs[alg];
		enum mech_service service = probe->service[mech];
		struct wire_capability row = {.alg = (uint16_t)alg,
			.ops = mech_ops(mech),
			.how = mech_service_name(service)};
		if (service != MECH_NOT_SERVED &&
			!wire_record_append(list, WIRE_RECORD_capability, &row))
			return false;
	}
	return true;
}

static bool
list_attributes(const struct probe *probe, struct buf *list)
{
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++) {
		uint32_t bit = ATTR_BIT(attr);
		struct wire_attribute row = {
			.name = attr_name(attr),
			.required = !attr_is_hardening(attr),
			.honoured = ((probe->reduced | probe->unknown) & bit) == 0,
		};
		if ((probe->tried & bit) != 0 &&
			!wire_record_append(list, WIRE_RECORD_attribute, &row))
			return false;
	}
	return true;
}

static unsigned
kind_bits(const struct probe_kind *kind)
{
	static const unsigned field_bits[CURVE_COUNT] = {
		[CURVE_P256] = 256, [CURVE_P384] = 384, [CURVE_P521] = 521, [CURVE_P256K] = 256};
	return kind->kty == KEY_EC ? field_bits[kind->curve] : kind->bits;
}

static bool
list_kinds(const struct probe *probe, struct buf *list)
{
	for (unsigned i = 0; i < probe->kind_count; i++) {
		const struct probe_kind *kind = &probe->kinds[i];
		struct wire_kind row = {.kty = (uint8_t)kind->kty,
			.bits = (uint16_t)kind_bits(kind),
			.curve = (uint8_t)kind->curve};
		if (!wire_record_append(list, WIRE_RECORD_kind, &row))
			return false;
	}
	return true;
}

static bool
capabilities(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)request;
	const struct probe *probe = probe_get(session);
	if (!list_algs(agent, probe, &reply->lists[0]) ||
		!list_attributes(probe, &reply->lists[1]) || !list_kinds(probe, &reply->lists[2]))
		return err_set(err, ERR_INTERNAL, NULL);
	reply->answer.capabilities_answer = (struct wire_capabilities_answer){
		.algs = buf_bytes(&reply->lists[0]),
		.attributes = buf_bytes(&reply->lists[1]),
		.kinds = buf_bytes(&reply->lists[2]),
	};
	return true;
}

/* Resident octets, from the second number of statm. */
static uint64_t
resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long total = 0, pages = 0;
	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	(void)fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool
ping(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)request;
	if (!identity_known_answer(session, err) || !handler_lease_check(agent, session, err))
		return false;
	reply->answer.ping_answer = (struct wire_ping_answer){
		.operations = atomic_load(&agent->operations),
		.session_objects = atomic_load(&agent->session_objects),
		.rss_bytes = resident(),
		.sessions = (uint16_t)agent->session_count,
	};
	return true;
}

/* --- keys as objects --- */

static bool
find(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	struct inventory_count count;
	if (!inventory_count(session, request->find_request.id, &count, err))
		return false;
	memcpy(reply->label, count.label, sizeof(reply->label));
	reply->answer.find_answer = (struct wire_find_answer){
		.private_keys = (uint16_t)count.private_keys,
		.public_keys = (uint16_t)count.public_keys,
		.secret_keys = (uint16_t)count.secret_keys,
		.label = reply->label,
	};
	return true;
}

struct listing {
	struct buf *list;
	uint32_t offset;
	uint32_t total;
};

static bool
list_object(void *context, const struct inventory_object *object)
{
	struct listing *listing = context;
	uint32_t index = listing->total++;
	if (index < listing->offset || listing->list->len + OBJECT_SIZE > LIST_ROOM)
		return true; /* counted all the same */
	struct wire_object row = {.class = (uint8_t)object->class, .label = object->label};
	memcpy(row.id, object->id, sizeof(row.id));
	return wire_record_append(listing->list, WIRE_RECORD_object, &row);
}

static bool
list(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	struct listing listing = {&reply->lists[0], request->list_request.offset, 0};
	uint32_t foreign;
	if (!inventory_walk(session, list_object, &listing, &foreign, err))
		return false;
	reply->answer.list_answer = (struct wire_list_answer){
		.total = listing.total, .foreign = foreign, .objects = buf_bytes(&reply->lists[0])};
	return true;
}

static bool
verify_key(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	const struct wire_verify_key_request *asked = &request->verify_key_request;
	struct hsmkey_spec born = {
		.label = asked->label,
		.ops = asked->ops,
		.extractable = asked->extractable != 0,
	};
	memcpy(born.id, asked->id, sizeof(born.id));
	struct hsmkey_facts facts;
	if (!inspect_key(session, &born, asked->fingerprint, &facts, err))
		return false;
	memcpy(reply->octets, facts.spki, facts.spki_len);
	reply->answer.verify_key_answer = (struct wire_verify_key_answer){
		.spki = {reply->octets, facts.spki_len},
                  .provenance = (uint8_t)facts.provenance
        };
	return true;
}

/* --- keys in use --- */

static bool
which_key(struct agent *agent, const uint8_t *id, const uint8_t *fingerprint, uint16_t alg,
	struct operate_key *ret_key, struct err *err)
{
	if (!wire_alg_valid(alg))
		return err_set(err, ERR_BAD_PARAMETER, "Not an algorithm.");
	*ret_key = (struct operate_key){id, fingerprint, agent->mechs[alg]};
	return true;
}

static bool
decrypt(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	const struct wire_decrypt_request *asked = &request->decrypt_request;
	struct operate_key key;
	if (!which_key(agent, asked->id, asked->fingerprint, asked->alg, &key, err))
		return false;
	struct operate_sealed sealed = {asked->data, asked->iv, asked->aad, asked->tag};
	if (!operate_decrypt(session, &key, &sealed, &reply->secret, err))
		return false;
	reply->answer.decrypt_answer.data =
		reply->secret != NULL ? secret_bytes(reply->secret) : (struct bytes){NULL, 0};
	return true;
}

static bool
encrypt(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	const struct wire_encrypt_request *asked = &request->encrypt_request;
	struct operate_fresh *fresh = &reply->fresh;
	struct operate_key key;
	if (!which_key(agent, asked->id, asked->fingerprint, asked->alg, &key, err) ||
		!operate_encrypt(session, &key, asked->data, asked->aad, fresh, err))
		return false;
	reply->answer.encrypt_answer = (struct wire_encrypt_answer){
		.data = buf_bytes(&fresh->data),
		.iv = {fresh->iv,  fresh->gcm ? sizeof(fresh->iv) : 0 },
		.tag = {fresh->tag, fresh->gcm ? sizeof(fresh->tag) : 0},
	};
	return true;
}

static bool
sign(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	const struct wire_sign_request *asked = &request->sign_request;
	struct operate_key key;
	size_t len;
	if (!which_key(agent, asked->id, asked->fingerprint, asked->alg, &key, err) ||
		!operate_sign(session, &key, asked->digest, reply->signature, &len, err))
		return false;
	reply->answer.sign_answer.signature = (struct bytes){reply->signature, len};
	return true;
}

static bool
verify(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	const struct wire_verify_request *asked = &request->verify_request;
	struct operate_key key;
	bool valid;
	if (!which_key(agent, asked->id, asked->fingerprint, asked->alg, &key, err) ||
		!operate_verify(session, &key, asked->digest, asked->signature, &valid, err))
		return false;
	reply->answer.verify_answer.valid = valid;
	return true;
}

static bool
draw(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	if (!noise_draw(session, request->random_request.length, &reply->secret, err))
		return false;
	reply->answer.random_answer.data = secret_bytes(reply->secret);
	return true;
}

/* start and login come before, stop ends the threads: they have no row. */
static const struct {
	handler *serve;
	bool enrolled; /* only then */
	bool mutates;  /* the token: one at a time */
} handlers[WIRE_TYPE_COUNT] = {
	[WIRE_ENROLL] = {handler_enroll,   false, true },
	[WIRE_PROVE] = {prove,            true,  false},
	[WIRE_CAPABILITIES] = {capabilities,     false, false},
	[WIRE_GENERATE] = {handler_generate, true,  true },
	[WIRE_DESTROY] = {handler_destroy,  true,  true },
	[WIRE_FIND] = {find,             false, false},
	[WIRE_LIST] = {list,             false, false},
	[WIRE_VERIFY_KEY] = {verify_key,       true,  false},
	[WIRE_DECRYPT] = {decrypt,          true,  false},
	[WIRE_ENCRYPT] = {encrypt,          true,  false},
	[WIRE_SIGN] = {sign,             true,  false},
	[WIRE_VERIFY] = {verify,           true,  false},
	[WIRE_PING] = {ping,             false, false},
	[WIRE_COUNT] = {handler_count,    true,  true },
	[WIRE_IMPORT] = {handler_import,   true,  true },
	[WIRE_RANDOM] = {draw,             true,  false},
};

/* A token that is another's proves which it is, and does nothing with keys. */
static bool
is_open(struct agent *agent, enum wire_type type)
{
	return !handlers[type].enrolled || type == WIRE_PROVE || !handler_lease_is_other(agent);
}

bool
handler_serve(struct agent *agent, struct session *session, enum wire_type type,
	const union handler_record *request, struct handler_reply *reply, struct err *err)
{
	handler *serve = handlers[type].serve;
	if (serve == NULL)
		return err_set(
			err, ERR_INTERNAL, "The worker does not serve '%s' now.", wire_name(type));
	if (handlers[type].enrolled && !identity_enrolled(session))
		return err_set(err, ERR_TOKEN_NOT_ENROLLED, NULL);
	if (!is_open(agent, type))
		return err_set(err, ERR_TOKEN_LEASED, NULL);
	uint64_t before = session_objects(session);
	if (handlers[type].mutates)
		(void)pthread_mutex_lock(
			&agent->mutation); /* a plain mutex: fails only by our own bug */
	bool served = serve(agent, session, request, reply, err);
	if (handlers[type].mutates)
		(void)pthread_mutex_unlock(&agent->mutation);
	atomic_fetch_add(&agent->operations, 1);
	atomic_fetch_add(&agent->session_objects, session_objects(session) - before);
	return served;
}
