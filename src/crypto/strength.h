/*
 * How strong a key is, in bits, so that keys of different kinds compare (threats A4): what takes 2^n steps to break has n. A key that
 * protects another should have no fewer (curves: curve_strength()); RSA-2048 and RSA-3072 roots over 256-bit data keys are the exception that we make, and
 * show (SP 800-57 part 1 revision 5 §5.6.1, table 2; for RSA-4096 SP 800-56B revision 2, appendix D).
 */
#pragma once

/* Of a modulus of so many bits: that of the largest size in the tables that it reaches; 0 below 2048. */
unsigned strength_of_rsa(unsigned modulus_bits);
/* Of a secret key, for AES or HMAC: its length, and no more than the highest that the tables know. */
#define STRENGTH_MAX 256
unsigned strength_of_secret(unsigned key_bits);
