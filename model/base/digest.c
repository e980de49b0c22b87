/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.c — SHA-256 through libcrypto's plain functions: the EVP ones load a configuration file on first use, and
 * rows 0–4 touch no file.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "model/base/digest.h"

#include <string.h>

void hex_encode(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *hex, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(hex[2 * i]);
		int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);

		if (low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return hex[2 * n] == '\0';
}

void sha256_init(struct sha256 *sha)
{
	SHA256_Init(&sha->ctx);
}

void sha256_update(struct sha256 *sha, const void *bytes, size_t n)
{
	SHA256_Update(&sha->ctx, bytes, n);
}

struct digest sha256_final(struct sha256 *sha)
{
	unsigned char raw[SHA256_DIGEST_LENGTH];
	struct digest digest;

	SHA256_Final(raw, &sha->ctx);
	memcpy(digest.text, "sha256:", 7);
	hex_encode(raw, sizeof(raw), digest.text + 7);
	return digest;
}

struct digest digest_of(const void *bytes, size_t n)
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, bytes, n);
	return sha256_final(&sha);
}

bool digest_is_valid(const char *text)
{
	if (strncmp(text, "sha256:", 7) != 0)
		return false;
	text += 7;
	return strlen(text) == DIGEST_HEX && strspn(text, "0123456789abcdef") == DIGEST_HEX;
}

const char *digest_hex(const char *text)
{
	return text + 7;
}
