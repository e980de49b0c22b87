/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_hash.c — see secret_hash.h. Keys: RECONCILE_HASH_KEY, else one of this machine below the cache folder. Not among the
 * variables that a Secret may take (secrets.h), so that no manifest can have it sent anywhere.
 */
#include "reconcile/secret_hash.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"
#include "model/kind/secret.h"

enum { KEY_BYTES = 32, KEY_MIN = 16, KEY_ID_HEX = 12, MAC_BYTES = 32, VALUES_MAX = 8 << 20 };

#define KEY_FILE     "secret.key"
#define KEY_VARIABLE "RECONCILE_HASH_KEY"

struct hashing {
	const struct secret_hash_spec *spec;
	struct arena *arena;
	const char *key; /* NULL: none */
	size_t key_len;
	char key_id[KEY_ID_HEX + 1];
};

/* Of `n` bytes, as hex. */
static void mac_hex(const struct hashing *h, const void *bytes, size_t n,
		    char out[2 * MAC_BYTES + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!HMAC(EVP_sha256(), h->key, (int)h->key_len, bytes, n, mac, &len) || len != MAC_BYTES)
		BUG("a keyed hash cannot be made");
	hex_encode(mac, MAC_BYTES, out);
}

/* Made by whoever is first; what a killed run left half-written is no key. */
static bool make_key(const char *path, struct err *err)
{
	unsigned char raw[KEY_BYTES];
	char hex[2 * KEY_BYTES + 1];

	random_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	return fs_write_atomic(AT_FDCWD, path, hex, sizeof(hex) - 1, 0600, false, err);
}

static void find_key(struct hashing *h)
{
	const char *given = proc_getenv(KEY_VARIABLE);
	const char *path = path_join(h->arena, h->spec->cache_dir, KEY_FILE);
	char hex[2 * MAC_BYTES + 1];
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;

	if (given && strlen(given) >= KEY_MIN) {
		h->key = given;
		h->key_len = strlen(given);
		secret_add(given, h->key_len);
	} else {
		if (given && given[0])
			log_line(LOG_WARN, KEY_VARIABLE " has less than %d bytes and is not used",
				 (int)KEY_MIN);
		if (!h->spec->is_read_only && !fs_exists(path) &&
		    (!fs_make_dirs(h->spec->cache_dir, 0700, &err) || !make_key(path, &err)))
			log_line(LOG_WARN, "changes of bound secrets cannot be noticed: %s",
				 err.text);
		if (!fs_read(AT_FDCWD, path, 2 * KEY_BYTES, h->arena, &text, &len, &err) || !text ||
		    len != 2 * KEY_BYTES)
			return;
		h->key = text;
		h->key_len = len;
	}
	mac_hex(h, "id", 2, hex);
	memcpy(h->key_id, hex, KEY_ID_HEX);
}

/* In order of keys, each with its length before it. */
static const char *hash_of(const struct hashing *h, const struct secret_spec *secret)
{
	AUTO_BUF all = BUF_INIT(VALUES_MAX);
	char hex[2 * MAC_BYTES + 1];
	struct strings keys = { 0 };

	for (size_t i = 0; i < secret->values.n; i++)
		vec_push(h->arena, &keys, LIST_AT(secret->values, struct secret_value, i)->key);
	if (keys.n > 1)
		qsort(keys.v, keys.n, sizeof(*keys.v), strings_compare);
	for (size_t i = 0; i < keys.n; i++) {
		const struct secret_value *value = secret_get(secret, keys.v[i]);

		buf_printf(&all, "%zu %s %zu ", strlen(value->key), value->key, value->len);
		buf_add(&all, value->bytes, value->len);
	}
	if (all.is_over)
		return NULL;
	mac_hex(h, buf_text(&all), all.len, hex);
	return arena_printf(h->arena, "%s:%s", h->key_id, hex);
}

void secrets_hash(struct model *model, const struct secret_hash_spec *spec, struct arena *arena)
{
	struct hashing h = { .spec = spec, .arena = arena };
	bool has_looked = false;

	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];
		struct secret_spec *secret = (struct secret_spec *)(uintptr_t)object->spec;

		if (object->kind != KIND_SECRET || secret->problem || secret->is_partial)
			continue;
		if (!has_looked)
			find_key(&h);
		has_looked = true;
		if (!h.key)
			return;
		secret->hash = hash_of(&h, secret);
	}
}
