/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.c — Secret, ServiceAccount and ConfigMap: tables, decoding of base64, and what Kubernetes
 * asks of each Secret type. No text here ever shows a value. Source: k8s.io/api/core/v1,
 * pkg/apis/core/validation ValidateSecret.
 */
#include "model/kind/secret.h"

#include <string.h>

#include "model/base/base64.h"
#include "model/doc/json.h"
#include "model/kind/check.h"
#include "model/kind/rules.h"

enum { KEY_MAX = 253, SECRET_BYTES = 1 << 20 };

#define ENVELOPE                                                                                   \
	{ "apiVersion", FIELD_IGNORED }, { "kind", FIELD_IGNORED },                                \
	{                                                                                          \
		"metadata", FIELD_IGNORED                                                          \
	}

static const struct field secret_fields[] = {
	ENVELOPE,
	{ "type", FIELD_STRING, AT(struct secret_spec, type), .deflt = "Opaque",
	  .doc = "What the keys must be." },
	{ "data", FIELD_NODE, AT(struct secret_spec, data), .doc = "Values in base64." },
	{ "stringData", FIELD_NODE, AT(struct secret_spec, string_data),
	  .doc = "Values as they are; they win." },
	{ "immutable", FIELD_IGNORED },
	{ 0 },
};
const struct table secret_table = { "Secret", sizeof(struct secret_spec), secret_fields };

static const struct field service_account_fields[] = {
	ENVELOPE,
	{ "secrets", FIELD_STRUCTS, AT(struct service_account_spec, secret_refs),
	  .table = &object_ref_table, .doc = "Secrets that builds may use." },
	{ "imagePullSecrets", FIELD_STRUCTS, AT(struct service_account_spec, image_pull_refs),
	  .table = &object_ref_table, .doc = "Secrets to read images with." },
	{ "automountServiceAccountToken", FIELD_IGNORED },
	{ 0 },
};
const struct table service_account_table = { "ServiceAccount", sizeof(struct service_account_spec),
					     service_account_fields };

static const struct field config_map_fields[] = {
	ENVELOPE,
	{ "data", FIELD_STRING_MAP, AT(struct config_map_spec, data), .doc = "Texts." },
	{ "binaryData", FIELD_STRING_MAP, AT(struct config_map_spec, binary_data),
	  .doc = "Bytes in base64." },
	{ "immutable", FIELD_IGNORED },
	{ 0 },
};
const struct table config_map_table = { "ConfigMap", sizeof(struct config_map_spec),
					config_map_fields };

typedef VEC(struct secret_value) values_vec;

static void put(struct arena *arena, values_vec *values, struct secret_value value)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i].key, value.key) == 0) {
			values->v[i] = value;
			return;
		}
	vec_push(arena, values, value);
}

/* The text of each entry; the general decoder would show what is there instead of a string. */
static struct pairs entries(const struct checker *c, const char *path, const struct node *map)
{
	struct pairs pairs = { 0 };

	if (map && map->kind != NODE_MAP)
		check_fail(c, path, "expected a mapping of strings for '%s'", path);
	if (!map || map->kind != NODE_MAP)
		return pairs;
	for (const struct node *item = map->first; item; item = item->next) {
		if (item->kind == NODE_NULL)
			vec_push(c->arena, &pairs, (struct pair){ item->key, "", item->pos });
		else if (item->kind == NODE_STRING && strlen(item->text) == item->len)
			vec_push(c->arena, &pairs,
				 (struct pair){ item->key, item->text, item->pos });
		else
			check_fail(c, arena_printf(c->arena, "%s[%s]", path, item->key),
				   "expected a string for '%s[%s]', found %s; put it in quotes",
				   path, item->key, node_kind_name(item->kind));
	}
	return pairs;
}

void secret_adapt(void *out, const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct secret_spec *spec = out;
	struct pairs data = entries(&c, "data", spec->data);
	struct pairs string_data = entries(&c, "stringData", spec->string_data);
	values_vec values = { 0 };

	for (size_t i = 0; i < data.n; i++) {
		const struct pair *pair = &data.v[i];
		struct base64 value;

		if (!base64_decode(pair->value, strlen(pair->value), arena, &value)) {
			check_fail(&c, arena_printf(arena, "data[%s]", pair->key),
				   "illegal base64 data at input byte %zu: data[%s]", value.bad_at,
				   pair->key);
			continue;
		}
		put(arena, &values, (struct secret_value){ pair->key, value.bytes, value.n });
	}
	for (size_t i = 0; i < string_data.n; i++) {
		const struct pair *pair = &string_data.v[i];

		put(arena, &values,
		    (struct secret_value){ pair->key, pair->value, strlen(pair->value) });
	}
	spec->values = (struct list){ values.v, values.n };
	if (!spec->type || !*spec->type)
		spec->type = "Opaque";
}

bool secret_key_is_public(const char *key)
{
	static const char *const keys[] = { "type", "provider", "host",
					    "port", "database", "username" };

	for (size_t i = 0; i < COUNTOF(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

const struct secret_value *secret_get(const struct secret_spec *secret, const char *key)
{
	for (size_t i = 0; i < secret->values.n; i++) {
		const struct secret_value *value = LIST_AT(secret->values, struct secret_value, i);

		if (strcmp(value->key, key) == 0)
			return value;
	}
	return NULL;
}

bool secret_source_next(const char **rest, struct arena *arena, struct secret_source *out)
{
	const char *p = *rest + strspn(*rest, ", \n"), *equals = strchr(p, '=');
	size_t n = strcspn(p, ",\n");

	*out = (struct secret_source){ 0 };
	if (!*p)
		return false;
	*rest = p + n;
	while (n && p[n - 1] == ' ')
		n--;
	if (!equals || equals >= p + n) {
		out->key = arena_copy(arena, p, n);
		return true;
	}
	out->key = arena_copy(arena, p, (size_t)(equals - p));
	out->from = arena_copy(arena, equals + 1, (size_t)(p + n - equals - 1));
	return true;
}

/* The value of `key` comes from somewhere else at run time. */
static bool comes_from_outside(const struct object *object, const char *key, struct arena *arena)
{
	static const char *const annotations[] = { ANNOTATION_FROM_ENV, ANNOTATION_FROM_FILE };
	struct secret_source source;

	for (size_t i = 0; i < COUNTOF(annotations); i++) {
		const char *rest = pairs_get(&object->meta.annotations, annotations[i]);

		while (rest && secret_source_next(&rest, arena, &source))
			if (strcmp(source.key, key) == 0)
				return true;
	}
	return false;
}

static bool key_is_valid(const char *key)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

	return n && n <= KEY_MAX && !key[n] && strcmp(key, ".") != 0 && strncmp(key, "..", 2) != 0;
}

static void check_key(const struct checker *c, const char *path, const char *key)
{
	if (!key_is_valid(key))
		check_fail(c, arena_printf(c->arena, "%s[%s]", path, key),
			   "invalid key name \"%s\": %s\n"
			   "must consist of letters, digits, '-', '_' or '.'",
			   key, path);
}

static void check_sources(const struct checker *c)
{
	static const char *const annotations[] = { ANNOTATION_FROM_ENV, ANNOTATION_FROM_FILE };
	struct secret_source source;

	for (size_t i = 0; i < COUNTOF(annotations); i++) {
		const char *rest = pairs_get(&c->object->meta.annotations, annotations[i]);
		const char *path =
			arena_printf(c->arena, "metadata.annotations[%s]", annotations[i]);

		while (rest && secret_source_next(&rest, c->arena, &source))
			if (!source.from || !*source.from || !key_is_valid(source.key))
				check_invalid(c, path, source.key, "must be KEY=NAME[,KEY=NAME…]");
	}
}

/* clang-format off */
/* One row per type: one of the keys must be there; `is_json` ones must parse. */
static const struct {
	const char *type;
	const char *keys[2];
	bool is_json, needs_all;
} types[] = {
	{ SECRET_DOCKER_CONFIG_JSON, { ".dockerconfigjson" },        .is_json = true },
	{ SECRET_DOCKER_CFG,         { ".dockercfg" },               .is_json = true },
	{ SECRET_BASIC_AUTH,         { "username", "password" } },
	{ SECRET_SSH_AUTH,           { "ssh-privatekey" } },
	{ "kubernetes.io/tls",       { "tls.crt", "tls.key" },       .needs_all = true },
};
/* clang-format on */

static void check_json(const struct checker *c, const struct secret_spec *spec, const char *key)
{
	const struct secret_value *value = secret_get(spec, key);
	struct err err = { 0 };
	struct node *tree;

	/* The error's text might quote the value. */
	if (value && (!json_parse(value->bytes, value->len, c->arena, &tree, &err) ||
		      tree->kind != NODE_MAP))
		check_fail(c, arena_printf(c->arena, "data[%s]", key),
			   "invalid value: <secret contents redacted>: data[%s]\nmust be a JSON "
			   "object",
			   key);
}

static void check_type(const struct checker *c, const struct secret_spec *spec, size_t row)
{
	const char *missing = "";
	size_t n = 0, n_there = 0;

	for (; n < COUNTOF(types[row].keys) && types[row].keys[n]; n++) {
		const char *key = types[row].keys[n];

		if (secret_get(spec, key) || node_get(spec->data, key) ||
		    comes_from_outside(c->object, key, c->arena))
			n_there++;
		else
			missing = arena_printf(c->arena, "%s%sdata[%s]", missing,
					       *missing ? ", " : "", key);
		if (types[row].is_json)
			check_json(c, spec, key);
	}
	if (n_there == 0 || (types[row].needs_all && n_there < n))
		check_fail(c, "data", "missing field(s): %s\na Secret of type %s needs %s", missing,
			   spec->type,
			   n == 1                 ? "it"
			   : types[row].needs_all ? "both"
						  : "one of them");
}

void secret_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct secret_spec *spec = object->spec;
	size_t total = 0;

	for (size_t i = 0; i < spec->values.n; i++) {
		const char *key = LIST_AT(spec->values, struct secret_value, i)->key;

		check_key(&c, node_get(spec->string_data, key) ? "stringData" : "data", key);
	}
	check_sources(&c);
	for (size_t i = 0; i < COUNTOF(types); i++)
		if (strcmp(spec->type, types[i].type) == 0)
			check_type(&c, spec, i);
	for (size_t i = 0; i < spec->values.n; i++)
		total += LIST_AT(spec->values, struct secret_value, i)->len;
	if (total > SECRET_BYTES)
		check_fail(&c, "data", "too long: data\nmust have at most %d bytes",
			   (int)SECRET_BYTES);
}

static struct strings names_of(const struct list *refs, struct arena *arena)
{
	struct strings names = { 0 };

	for (size_t i = 0; i < refs->n; i++) {
		const char *name = LIST_AT(*refs, struct object_ref, i)->name;

		if (name)
			vec_push(arena, &names, name);
	}
	return names;
}

void service_account_adapt(void *out, const struct object *object, struct arena *arena,
			   struct diags *diags)
{
	struct service_account_spec *spec = out;

	(void)object;
	(void)diags;
	spec->secrets = names_of(&spec->secret_refs, arena);
	spec->image_pull_secrets = names_of(&spec->image_pull_refs, arena);
}

void config_map_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct config_map_spec *spec = object->spec;

	for (size_t i = 0; i < spec->data.n; i++)
		check_key(&c, "data", spec->data.v[i].key);
	for (size_t i = 0; i < spec->binary_data.n; i++) {
		const struct pair *pair = &spec->binary_data.v[i];
		struct base64 value;

		check_key(&c, "binaryData", pair->key);
		if (!base64_decode(pair->value, strlen(pair->value), arena, &value))
			check_fail(&c, arena_printf(arena, "binaryData[%s]", pair->key),
				   "illegal base64 data at input byte %zu: binaryData[%s]",
				   value.bad_at, pair->key);
	}
}
