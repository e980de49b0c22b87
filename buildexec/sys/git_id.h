/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_id.h — the name of a git object: 20 bytes inside, 40 hex digits outside.
 * Text form (struct git_id) is what rows above keep; the raw form stays in the object code of this
 * row. SHA-1 repositories only; a repository in the sha256 format is refused when it is opened.
 */
#ifndef BUILDEXEC_SYS_GIT_ID_H
#define BUILDEXEC_SYS_GIT_ID_H

#include <stdbool.h>
#include <stddef.h>

enum { GIT_ID_RAW = 20, GIT_ID_HEX = 40 };

enum git_type {
	GIT_TYPE_NONE,
	GIT_TYPE_COMMIT,
	GIT_TYPE_TREE,
	GIT_TYPE_BLOB,
	GIT_TYPE_TAG,
	GIT_TYPES
};

struct git_id {
	char hex[GIT_ID_HEX + 1]; /* lower case; "" = no object */
};

/* The bytes of 2n hex digits that something else may follow; n is at most GIT_ID_RAW. */
bool git_hex_bytes(const char *digits, unsigned char *out, size_t n);
/* 40 hex digits, any case; false for anything else. */
bool git_id_parse(const char *text, size_t n, struct git_id *out);
bool git_id_is_none(const struct git_id *id);
bool git_id_equal(const struct git_id *a, const struct git_id *b);
struct git_id git_id_from_raw(const unsigned char *raw);
/* The raw form of an id; none becomes 20 zero bytes. */
void git_id_to_raw(const struct git_id *id, unsigned char *raw);
/* "commit", "tree", "blob", "tag"; GIT_TYPE_NONE for another word. */
const char *git_type_name(enum git_type type);
enum git_type git_type_parse(const char *name, size_t n);
/* SHA-1 of "<type> <n>\0<bytes>": the object's name. */
void git_id_hash(enum git_type type, const void *bytes, size_t n, unsigned char *raw);

#endif
