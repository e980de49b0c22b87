/* SPDX-License-Identifier: Apache-2.0 */
/* git_id.c — object names by libcrypto's plain SHA-1, which uses the processor's instructions where
 * it has them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "buildexec/sys/git_id.h"

#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "model/base/digest.h"
#include "model/base/err.h"

static const char *const type_names[] = {
	[GIT_TYPE_NONE] = "none", [GIT_TYPE_COMMIT] = "commit", [GIT_TYPE_TREE] = "tree",
	[GIT_TYPE_BLOB] = "blob", [GIT_TYPE_TAG] = "tag",
};
_Static_assert(COUNTOF(type_names) == GIT_TYPES, "every type has a name");

bool git_hex_bytes(const char *digits, unsigned char *out, size_t n)
{
	char text[GIT_ID_HEX + 1];

	memcpy(text, digits, 2 * n);
	text[2 * n] = '\0';
	return hex_decode(text, out, n);
}

bool git_id_parse(const char *text, size_t n, struct git_id *out)
{
	unsigned char raw[GIT_ID_RAW];

	*out = (struct git_id){ 0 };
	if (n != GIT_ID_HEX || !git_hex_bytes(text, raw, sizeof(raw)))
		return false;
	*out = git_id_from_raw(raw);
	return true;
}

bool git_id_is_none(const struct git_id *id)
{
	return !id->hex[0];
}

bool git_id_equal(const struct git_id *a, const struct git_id *b)
{
	return !strcmp(a->hex, b->hex);
}

struct git_id git_id_from_raw(const unsigned char *raw)
{
	static const unsigned char zero[GIT_ID_RAW];
	struct git_id id = { 0 };

	if (memcmp(raw, zero, sizeof(zero)) != 0)
		hex_encode(raw, GIT_ID_RAW, id.hex);
	return id;
}

void git_id_to_raw(const struct git_id *id, unsigned char *raw)
{
	if (git_id_is_none(id) || !hex_decode(id->hex, raw, GIT_ID_RAW))
		memset(raw, 0, GIT_ID_RAW);
}

const char *git_type_name(enum git_type type)
{
	return type_names[type];
}

enum git_type git_type_parse(const char *name, size_t n)
{
	for (enum git_type type = GIT_TYPE_COMMIT; type < GIT_TYPES; type++)
		if (strlen(type_names[type]) == n && !memcmp(type_names[type], name, n))
			return type;
	return GIT_TYPE_NONE;
}

void git_id_hash(enum git_type type, const void *bytes, size_t n, unsigned char *raw)
{
	char head[32];
	int n_head = snprintf(head, sizeof(head), "%s %zu", type_names[type], n);
	SHA_CTX sha;

	SHA1_Init(&sha);
	SHA1_Update(&sha, head, (size_t)n_head + 1);
	SHA1_Update(&sha, bytes, n);
	SHA1_Final(raw, &sha);
}
