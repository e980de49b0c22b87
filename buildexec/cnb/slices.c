/* SPDX-License-Identifier: Apache-2.0 */
/* slices.c — see slices.h. */
#include "buildexec/cnb/slices.h"

#include <stdlib.h>
#include <string.h>

/* One UTF-8 character; a byte that begins none is a character of its own. */
static uint32_t next_rune(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	size_t n = p[0] < 0x80         ? 1
		   : (p[0] >> 5) == 6  ? 2
		   : (p[0] >> 4) == 14 ? 3
		   : (p[0] >> 3) == 30 ? 4
				       : 1;
	uint32_t rune = n == 1 ? p[0] : p[0] & (0x7Fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			*text += 1;
			return p[0];
		}
		rune = rune << 6 | (p[i] & 0x3Fu);
	}
	*text += n;
	return rune;
}

/* A character inside a class; false when there can be none. */
static bool class_rune(const char **pattern, uint32_t *out)
{
	if (**pattern == '\0' || **pattern == '-' || **pattern == ']')
		return false;
	if (**pattern == '\\' && *++*pattern == '\0')
		return false;
	*out = next_rune(pattern);
	return **pattern != '\0';
}

/* Behind '['. Moves the pattern behind ']'. 1, 0 or -1 as slice_glob. */
static int match_class(const char **pattern, uint32_t rune)
{
	bool is_negated = **pattern == '^', is_in = false;
	size_t n_ranges = 0;

	*pattern += is_negated;
	while (n_ranges == 0 || **pattern != ']') {
		uint32_t low, high;

		if (!class_rune(pattern, &low))
			return -1;
		high = low;
		if (**pattern == '-') {
			++*pattern;
			if (!class_rune(pattern, &high))
				return -1;
		}
		is_in |= low <= rune && rune <= high;
		n_ranges++;
	}
	++*pattern;
	return is_in != is_negated;
}

/* Matches one element of the pattern, no star, at `path`; moves both. The pattern is checked even where the path is at its end. */
static int match_one(const char **pattern, const char **path)
{
	const char *start = *path;
	char first = *(*pattern)++;
	uint32_t rune;
	int result;

	if (first != '?' && first != '[') {
		if (first == '\\' && **pattern == '\0')
			return -1;
		if (first == '\\')
			first = *(*pattern)++;
		*path += *start != '\0';
		return *start && first == *start;
	}
	rune = *start ? next_rune(path) : 0;
	result = first == '?' ? rune != 0 && rune != '/' : match_class(pattern, rune);
	return result > 0 && rune == 0 ? 0 : result;
}

static bool is_well_formed(const char *pattern)
{
	while (*pattern) {
		const char *nothing = "";

		if (*pattern == '*')
			pattern++;
		else if (match_one(&pattern, &nothing) < 0)
			return false;
	}
	return true;
}

int slice_glob(const char *pattern, const char *path)
{
	const char *star = NULL, *retry = NULL;

	if (!is_well_formed(pattern))
		return -1;
	for (;;) {
		const char *next_pattern = pattern, *next_path = path;

		if (*pattern == '*') {
			star = ++pattern;
			retry = path;
			continue;
		}
		if (*pattern == '\0' && *path == '\0')
			return 1;
		if (*pattern != '\0' && match_one(&next_pattern, &next_path) > 0) {
			pattern = next_pattern;
			path = next_path;
			continue;
		}
		/* The last star takes one character more. */
		if (!star || *retry == '\0' || *retry == '/')
			return 0;
		path = ++retry;
		pattern = star;
	}
}

char *slice_clean(const char *pattern, struct arena *arena)
{
	bool is_rooted = pattern[0] == '/';
	char *out = arena_alloc(arena, strlen(pattern) + 3);
	size_t n = 0, floor = 0; /* what ".." cannot take away again */

	if (is_rooted)
		out[n++] = '/';
	while (*pattern) {
		size_t len = strcspn(pattern, "/");

		if (len == 2 && memcmp(pattern, "..", 2) == 0 && n > floor + is_rooted) {
			while (n > floor + is_rooted && out[n - 1] != '/')
				n--;
			n -= n > floor + is_rooted;
		} else if (len == 2 && memcmp(pattern, "..", 2) == 0 && !is_rooted) {
			memcpy(out + n, n ? "/.." : "..", n ? 3 : 2);
			n += n ? 3 : 2;
			floor = n;
		} else if (len > 0 && !(len == 1 && *pattern == '.') &&
			   !(len == 2 && memcmp(pattern, "..", 2) == 0)) {
			if (n > (size_t)is_rooted)
				out[n++] = '/';
			memcpy(out + n, pattern, len);
			n += len;
		}
		pattern += len + (pattern[len] == '/');
	}
	if (n == 0)
		out[n++] = '.';
	out[n] = '\0';
	return out;
}

struct cut {
	const struct slice_entry *entries;
	size_t n;
	bool *is_taken;   /* by a slice before or this one                      */
	bool *is_matched; /* by this slice                                      */
	bool *is_parent;  /* of something matched, and not matched itself       */
	struct arena *arena;
};

static bool match_paths(struct cut *cut, const struct strings *globs, struct err *err)
{
	for (size_t g = 0; g < globs->n; g++) {
		char *glob = slice_clean(globs->v[g], cut->arena);

		for (size_t i = 1; i < cut->n; i++) {
			int result = slice_glob(glob, cut->entries[i].path);

			if (result < 0)
				return err_set(err, ERR_INVALID, "malformed glob '%s' in a slice",
					       globs->v[g]);
			if (result > 0 && !cut->is_taken[i])
				cut->is_matched[i] = true;
		}
	}
	return true;
}

/* What is in a matched folder goes with it. Folders come before their contents, so one pass does. */
static void take_contents(struct cut *cut)
{
	for (size_t i = 1; i < cut->n; i++) {
		size_t parent = cut->entries[i].parent;

		if (!cut->is_taken[i] && cut->is_matched[parent])
			cut->is_matched[i] = true;
	}
	for (size_t i = 1; i < cut->n; i++)
		cut->is_taken[i] |= cut->is_matched[i];
}

/* Folders around matched paths are part of the slice too; those with nothing left in them are then done with. */
static void take_parents(struct cut *cut)
{
	for (size_t i = cut->n - 1; i > 0; i--) {
		size_t parent = cut->entries[i].parent;

		if ((cut->is_matched[i] || cut->is_parent[i]) && !cut->is_matched[parent])
			cut->is_parent[parent] = true;
	}
	for (size_t i = 0; i < cut->n; i++)
		if (cut->is_parent[i])
			cut->is_taken[i] = true;
	for (size_t i = cut->n - 1; i > 0; i--) {
		size_t parent = cut->entries[i].parent;

		if (!cut->is_taken[i] && cut->is_parent[parent])
			cut->is_taken[parent] = false;
	}
}

static int by_path(const void *a, const void *b)
{
	const struct slice_entry *const *left = a, *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

static void sort_layer(struct cut *cut, struct slice_layer *layer)
{
	const struct slice_entry **sorted =
		arena_array(cut->arena, layer->n, sizeof(struct slice_entry *));

	for (size_t i = 0; i < layer->n; i++)
		sorted[i] = &cut->entries[layer->v[i]];
	qsort(sorted, layer->n, sizeof(*sorted), by_path);
	for (size_t i = 0; i < layer->n; i++)
		layer->v[i] = (size_t)(sorted[i] - cut->entries);
}

bool slices_cut(const struct slice_entry *entries, size_t n, const struct strings *slices,
		size_t n_slices, struct arena *arena, struct slice_layer **out, struct err *err)
{
	struct cut cut = {
		.entries = entries,
		.n = n,
		.is_taken = arena_array(arena, n, sizeof(bool)),
		.is_matched = arena_array(arena, n, sizeof(bool)),
		.is_parent = arena_array(arena, n, sizeof(bool)),
		.arena = arena,
	};
	struct slice_layer *layers = arena_array(arena, n_slices + 1, sizeof(*layers));

	*out = NULL;
	for (size_t s = 0; s < n_slices; s++) {
		memset(cut.is_matched, 0, n * sizeof(bool));
		memset(cut.is_parent, 0, n * sizeof(bool));
		if (!match_paths(&cut, &slices[s], err))
			return false;
		take_contents(&cut);
		take_parents(&cut);
		for (size_t i = 0; i < n; i++)
			if (cut.is_matched[i] || cut.is_parent[i])
				vec_push(arena, &layers[s], i);
		sort_layer(&cut, &layers[s]);
	}
	for (size_t i = 0; i < n; i++)
		if (!cut.is_taken[i])
			vec_push(arena, &layers[n_slices], i);
	sort_layer(&cut, &layers[n_slices]);
	*out = layers;
	return true;
}
