/* SPDX-License-Identifier: Apache-2.0 */
/* build_name.c — see build_name.h. */
#include "model/kind/build_name.h"

#include <string.h>

enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63, HASH_BYTES = 8, CLONE_DIGITS = 10 };

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

char *build_name(const char *base, const char *suffix, struct arena *arena)
{
	size_t n_base = strlen(base), n_suffix = strlen(suffix);
	char *name = arena_printf(arena, "%s-%s", base, suffix);
	size_t room = NAME_MAX_BYTES - HASH_BYTES - 1;

	if (n_base + 1 + n_suffix <= NAME_MAX_BYTES)
		return name;
	if (n_suffix + 1 > room)
		return arena_printf(arena, "%.*s-%08x", (int)(n_base < room ? n_base : room), base,
				    hash_of(name));
	room -= n_suffix + 1;
	return arena_printf(arena, "%.*s-%08x-%s", (int)(n_base < room ? n_base : room), base,
			    hash_of(base), suffix);
}

char *clone_name(const char *build, int64_t now_ns, struct arena *arena)
{
	const char *dash = strrchr(build, '-');
	char *base = arena_strdup(arena, build), *digits;
	size_t n;

	if (dash && dash > build && strlen(dash + 1) == CLONE_DIGITS &&
	    strspn(dash + 1, "0123456789") == CLONE_DIGITS)
		base[dash - build] = '\0';
	digits = arena_printf(arena, "%lld", (long long)now_ns);
	n = strlen(digits);
	return build_name(base, n > CLONE_DIGITS ? digits + n - CLONE_DIGITS : digits, arena);
}

static bool is_alnum(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

static bool label_is_valid(const char *text, size_t n)
{
	if (n > LABEL_MAX_BYTES || !is_alnum(text[0]) || !is_alnum(text[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}

char *label_value(const char *name, struct arena *arena)
{
	for (size_t n = strlen(name); n; n--)
		if (label_is_valid(name, n))
			return arena_copy(arena, name, n);
	return arena_strdup(arena, name);
}

static void set(struct pairs *pairs, const char *key, const char *value, struct arena *arena)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (strcmp(pairs->v[i].key, key) == 0) {
			pairs->v[i].value = value;
			return;
		}
	}
	vec_push(arena, pairs, (struct pair){ .key = key, .value = value });
}

struct pairs build_labels(const struct meta *config, const char *run_policy, struct arena *arena)
{
	const char *name = label_value(config->name, arena);
	struct pairs labels = { 0 };

	for (size_t i = 0; i < config->labels.n; i++)
		set(&labels, config->labels.v[i].key, config->labels.v[i].value, arena);
	set(&labels, LABEL_CONFIG_OLD, name, arena);
	set(&labels, LABEL_CONFIG, name, arena);
	set(&labels, LABEL_RUN_POLICY, run_policy, arena);
	return labels;
}
