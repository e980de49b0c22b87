/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h — SHA-256 over bytes, and digests as text ("sha256:" and 64 hex digits, lower case).
 * Spec: opencontainers/image-spec descriptor.md "Digests". Only sha256 is accepted; sha512 is refused by name.
 */
#ifndef MODEL_BASE_DIGEST_H
#define MODEL_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/sha.h>

#include "model/base/arena.h"

enum { DIGEST_TEXT = 7 + 64 + 1, DIGEST_HEX = 64 };

struct digest {
	char text[DIGEST_TEXT];
};

struct sha256 {
	SHA256_CTX ctx;
};

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *bytes, size_t n);
struct digest sha256_final(struct sha256 *sha);
struct digest digest_of(const void *bytes, size_t n);

/* True for a well-formed sha256 digest text of exactly this form. */
bool digest_is_valid(const char *text);
/* The 64 hex digits of a valid digest text. */
const char *digest_hex(const char *text);

/* Lower-case hex of n bytes into out, which holds 2n + 1. */
void hex_encode(const unsigned char *bytes, size_t n, char *out);
/* False unless exactly 2n hex digits. */
bool hex_decode(const char *hex, unsigned char *out, size_t n);

#endif
