/* SPDX-License-Identifier: Apache-2.0 */
/* vec.c — growth of typed arrays and lists of texts. */
#include "model/base/vec.h"

#include <string.h>

void *vec_grow(struct arena *arena, const void *old, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 4;
	void *fresh = arena_array(arena, want, size);

	if (n)
		memcpy(fresh, old, n * size);
	*cap = want;
	return fresh;
}

bool strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

bool strings_has(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

int strings_compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}
