/* SPDX-License-Identifier: Apache-2.0 */
/* text.c — see text.h. */
#include "buildexec/s2i/text.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/path.h"
#include "model/doc/json.h"
#include "model/oci/image.h"

enum { MESSAGE_BYTES = 80 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static char *trimmed(const char *text, size_t n, struct arena *arena)
{
	while (n > 0 && is_blank(text[0]))
		text++, n--;
	while (n > 0 && is_blank(text[n - 1]))
		n--;
	return arena_copy(arena, text, n);
}

void environment_parse(const char *text, size_t len, struct arena *arena, struct pairs *out)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		const char *equals = memchr(text, '=', n);

		if (equals && text[0] != '#' && !memchr(text, '\0', n)) {
			size_t left = (size_t)(equals - text);
			const char *name = trimmed(text, left, arena);

			if (name[0])
				vec_push(arena, out,
					 (struct pair){ .key = name,
							.value = trimmed(equals + 1, n - left - 1,
									 arena) });
		}
		n += end != NULL;
		text += n;
		len -= n;
	}
}

bool image_metadata_parse(const char *text, size_t len, struct arena *arena, struct pairs *out,
			  struct err *err)
{
	const struct node *labels;
	struct node *json;

	if (!json_parse(text, len, arena, &json, err))
		return false;
	labels = node_get(json, "labels");
	if (!labels)
		return true;
	if (labels->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "'labels' is %s, not a list",
			       node_kind_name(labels->kind));
	for (const struct node *item = labels->first; item; item = item->next) {
		if (item->kind != NODE_MAP)
			return err_set(err, ERR_INVALID,
				       "an entry of 'labels' is %s, not an object",
				       node_kind_name(item->kind));
		for (const struct node *one = item->first; one; one = one->next) {
			if (one->kind != NODE_STRING || strlen(one->text) != one->len)
				return err_set(err, ERR_INVALID, "label '%s' is %s, not a string",
					       one->key, node_kind_name(one->kind));
			vec_push(arena, out, (struct pair){ .key = one->key, .value = one->text });
		}
	}
	return true;
}

void label_set(struct arena *arena, struct pairs *labels, const char *key, const char *value)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->v[i].key, key) == 0) {
			labels->v[i].value = value;
			return;
		}
	vec_push(arena, labels, (struct pair){ .key = key, .value = value });
}

static int by_key(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	return strcmp(left->key, right->key);
}

bool labels_finish(struct pairs *labels, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < labels->n; i++)
		n += strlen(labels->v[i].key) + strlen(labels->v[i].value);
	if (labels->n > 1)
		qsort(labels->v, labels->n, sizeof(*labels->v), by_key);
	return n <= S2I_LABEL_BYTES ||
	       err_set(err, ERR_INVALID,
		       "the image's labels have %zu bytes together, %u are allowed", n,
		       S2I_LABEL_BYTES);
}

const char *label_message(const char *message, struct arena *arena)
{
	size_t n = strlen(message);

	if (n <= MESSAGE_BYTES)
		return message;
	n = MESSAGE_BYTES;
	while (n > 0 && ((unsigned char)message[n] & 0xc0) == 0x80)
		n--;
	return arena_copy(arena, message, n);
}

struct strings environment_join(const struct pairs *own, const struct strings *image,
				struct arena *arena)
{
	struct strings out = { 0 };

	for (size_t i = 0; i < own->n; i++)
		env_set(arena, &out, own->v[i].key, own->v[i].value);
	for (size_t i = 0; i < image->n; i++) {
		const char *name = arena_copy(arena, image->v[i], strcspn(image->v[i], "="));

		if (!env_get(&out, name))
			vec_push(arena, &out, image->v[i]);
	}
	return out;
}

void artifacts_parse(const char *text, struct arena *arena, struct artifact_list *out)
{
	while (*text) {
		size_t n = strcspn(text, ";");
		const char *colon = memchr(text, ':', n);
		size_t left = colon ? (size_t)(colon - text) : n;
		struct artifact artifact = {
			.source = trimmed(text, left, arena),
			.destination = colon ? trimmed(colon + 1, n - left - 1, arena) : "",
		};

		if (artifact.source[0])
			vec_push(arena, out, artifact);
		text += n + (text[n] == ';');
	}
}

bool artifacts_check(const struct artifact_list *list, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct artifact *one = &list->v[i];
		const char *why = one->source[0] != '/' ? "the source must be an absolute path"
				  : one->destination[0] == '/'
					  ? "the destination must be a relative path"
				  : path_has_dotdot(one->destination)
					  ? "the destination leads out of its folder"
					  : NULL;

		if (why)
			return err_set(err, ERR_INVALID,
				       "invalid runtime artifacts mapping '%s' -> '%s': %s",
				       one->source, one->destination, why);
	}
	return true;
}
