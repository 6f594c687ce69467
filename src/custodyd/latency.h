/*
 * How long operations take, by kind: quantiles for hedging and for choosing the less busy token. A
 * histogram of logarithmic buckets (a quarter of an octave each) whose old counts fade, so that the
 * figures follow a token that becomes slow within a few hundred operations (threats B17).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What an operation costs depends on the key, not on the message: one kind for each order of cost. */
enum latency_kind {
	LATENCY_AES,
	LATENCY_EC,
	LATENCY_RSA_2048,
	LATENCY_RSA_3072,
	LATENCY_RSA_4096,
	LATENCY_OTHER, /* looking up, generating, destroying: never hedged */
	LATENCY_KINDS
};

#define LATENCY_BUCKETS 96

struct latency {
	uint32_t counts[LATENCY_BUCKETS];
	uint32_t total;
};

void latency_clear(struct latency *latency);
void latency_add(struct latency *latency, int64_t elapsed_us);
/* The upper bound, in microseconds, of what `percent` (1-100) of the recent operations took; 0 with fewer than 8 samples. */
int64_t latency_quantile_us(const struct latency *latency, unsigned percent);
