/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.c — see secrets.h. The key of the hash is the user's (RECONCILE_SECRET_KEY) or one of this machine, below the cache
 * folder; never in state, where it would let anybody who can read state try values until one fits. A hash names its key, so
 * that hashes of other machines are no change: a value that changes between two machines without a common key is not seen.
 */
#include "reconcile/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"
#include "model/kind/secret.h"

enum { KEY_BYTES = 32, KEY_MIN = 16, KEY_ID_HEX = 12, VALUE_MAX = 1 << 20, MAC_BYTES = 32 };

#define KEY_FILE "secret.key"

struct resolving {
	const struct secrets_spec *spec;
	struct arena *arena;
	const char *key; /* NULL: none */
	size_t key_len;
	char key_id[KEY_ID_HEX + 1];
	size_t n_skipped;
};

/* Of `n` bytes, as hex. */
static void mac_hex(const struct resolving *r, const void *bytes, size_t n,
		    char out[2 * MAC_BYTES + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!HMAC(EVP_sha256(), r->key, (int)r->key_len, bytes, n, mac, &len) || len != MAC_BYTES)
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

static void find_key(struct resolving *r)
{
	const char *given = proc_getenv("RECONCILE_SECRET_KEY");
	const char *path = path_join(r->arena, r->spec->cache_dir, KEY_FILE);
	char hex[2 * MAC_BYTES + 1];
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;

	if (given && strlen(given) >= KEY_MIN) {
		r->key = given;
		r->key_len = strlen(given);
		secret_add(given, r->key_len);
	} else {
		if (given && given[0])
			log_line(LOG_WARN,
				 "RECONCILE_SECRET_KEY has less than %d bytes and is not used",
				 (int)KEY_MIN);
		if (!r->spec->is_dry && !fs_exists(path) &&
		    (!fs_make_dirs(r->spec->cache_dir, 0700, &err) || !make_key(path, &err)))
			log_line(LOG_WARN, "changes of bound secrets cannot be noticed: %s",
				 err.text);
		if (!fs_read(AT_FDCWD, path, 2 * KEY_BYTES, r->arena, &text, &len, &err) || !text ||
		    len != 2 * KEY_BYTES)
			return;
		r->key = text;
		r->key_len = len;
	}
	mac_hex(r, "id", 2, hex);
	memcpy(r->key_id, hex, KEY_ID_HEX);
}

static bool read_value(const struct resolving *r, const struct object *object, const char *path,
		       struct secret_value *out, struct err *err)
{
	const char *slash = object->file ? strrchr(object->file->path, '/') : NULL;
	char *bytes = NULL;

	if (path[0] != '/' && slash)
		path = arena_printf(r->arena, "%.*s/%s", (int)(slash - object->file->path),
				    object->file->path, path);
	if (!fs_read(AT_FDCWD, path, VALUE_MAX, r->arena, &bytes, &out->len, err))
		return false;
	if (!bytes)
		return err_set(err, ERR_ABSENT, "there is no file '%s'", path);
	out->bytes = bytes;
	return true;
}

static bool fetch(const struct resolving *r, const struct object *object,
		  const struct secret_source *source, bool is_file, struct secret_value *out,
		  struct err *err)
{
	*out = (struct secret_value){ .key = source->key };
	if (is_file)
		return read_value(r, object, source->from, out, err);
	out->bytes = proc_getenv(source->from);
	if (!out->bytes)
		return err_set(err, ERR_ABSENT, "environment variable '%s' is not set",
			       source->from);
	out->len = strlen(out->bytes);
	return true;
}

static void put_value(struct secret_spec *secret, struct secret_value value, struct arena *arena)
{
	struct secret_value *values = arena_array(arena, secret->values.n + 1, sizeof(*values));
	size_t n = 0;

	for (size_t i = 0; i < secret->values.n; i++) {
		values[n] = *LIST_AT(secret->values, struct secret_value, i);
		if (strcmp(values[n].key, value.key) != 0)
			n++;
	}
	values[n++] = value;
	secret->values = (struct list){ values, n };
}

static void fetch_all(struct resolving *r, const struct object *object, struct secret_spec *secret)
{
	static const char *const annotations[] = { ANNOTATION_FROM_ENV, ANNOTATION_FROM_FILE };
	const char *allowed = proc_getenv("RECONCILE_DRY_RUN_SECRETS");
	bool may_fetch = !r->spec->is_dry || (allowed && strcmp(allowed, "1") == 0);
	struct secret_source source;

	for (size_t i = 0; i < COUNTOF(annotations); i++) {
		const char *rest = pairs_get(&object->meta.annotations, annotations[i]);

		while (rest && secret_source_next(&rest, r->arena, &source)) {
			struct secret_value value;
			struct err err = { 0 };

			if (!may_fetch) {
				r->n_skipped++;
			} else if (fetch(r, object, &source, i == 1, &value, &err)) {
				put_value(secret, value, r->arena);
			} else {
				secret->problem = arena_printf(r->arena, "'%s' of %s: %s",
							       source.key, object->id, err.text);
				log_line(LOG_WARN, "%s", secret->problem);
			}
		}
	}
}

/* In order of keys, each with its length before it. */
static const char *hash_of(const struct resolving *r, const struct secret_spec *secret)
{
	AUTO_BUF all = BUF_INIT(8u << 20);
	char hex[2 * MAC_BYTES + 1];
	struct strings keys = { 0 };

	for (size_t i = 0; i < secret->values.n; i++)
		vec_push(r->arena, &keys, LIST_AT(secret->values, struct secret_value, i)->key);
	if (keys.n > 1)
		qsort(keys.v, keys.n, sizeof(*keys.v), strings_compare);
	for (size_t i = 0; i < keys.n; i++) {
		const struct secret_value *value = secret_get(secret, keys.v[i]);

		buf_printf(&all, "%zu %s %zu ", strlen(value->key), value->key, value->len);
		buf_add(&all, value->bytes, value->len);
	}
	if (all.is_over)
		return NULL;
	mac_hex(r, buf_text(&all), all.len, hex);
	return arena_printf(r->arena, "%s:%s", r->key_id, hex);
}

void secrets_resolve(struct model *model, const struct secrets_spec *spec, struct arena *arena)
{
	struct resolving r = { .spec = spec, .arena = arena };
	bool has_key = false;

	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];
		struct secret_spec *secret = (struct secret_spec *)(uintptr_t)object->spec;
		size_t n_skipped = r.n_skipped;

		if (object->kind != KIND_SECRET)
			continue;
		if (!has_key)
			find_key(&r);
		has_key = true;
		fetch_all(&r, object, secret);
		for (size_t k = 0; k < secret->values.n; k++) {
			const struct secret_value *value =
				LIST_AT(secret->values, struct secret_value, k);

			if (!secret_key_is_public(value->key))
				secret_add(value->bytes, value->len);
		}
		if (r.key && !secret->problem && r.n_skipped == n_skipped)
			secret->hash = hash_of(&r, secret);
	}
	if (r.n_skipped)
		log_line(LOG_INFO,
			 "%zu values of secrets are not fetched in a dry run; "
			 "RECONCILE_DRY_RUN_SECRETS=1 allows it",
			 r.n_skipped);
}
