/* Compiler attributes and the cleanup idiom used everywhere. */
#pragma once

#define MUST_USE       __attribute__((warn_unused_result))
#define PRINTF(fmt, v) __attribute__((format(printf, fmt, v)))

/* CLEAN(key) struct key *k = NULL;  calls key_clean(&k) when k leaves scope. */
#define CLEAN(module) __attribute__((cleanup(module##_clean)))

/* Defines <module>_clean() for a pointer type whose destructor is <module>_free(). */
#define DEFINE_CLEAN(module, type)                                                                 \
	static inline void module##_clean(type **pointer)                                          \
	{                                                                                          \
		module##_free(*pointer);                                                           \
		*pointer = (type *)0;                                                              \
	}

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
