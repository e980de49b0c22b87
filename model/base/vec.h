/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec.h — a growing array in an arena, typed by a macro.
 *   VEC(struct image *) images = { 0 };
 *   vec_push(arena, &images, image);
 *   for (size_t i = 0; i < images.n; i++) use(images.v[i]);
 * The old storage stays in the arena when it grows: total waste is at most the final size.
 */
#ifndef MODEL_BASE_VEC_H
#define MODEL_BASE_VEC_H

#include <stdint.h>

#include "model/base/arena.h"

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

/* A common one: texts. */
struct strings {
	const char **v;
	size_t n, cap;
};
struct numbers {
	int64_t *v;
	size_t n, cap;
};

void *vec_grow(struct arena *arena, const void *old, size_t n, size_t *cap, size_t size);

#define vec_push(arena, vec, ...)                                                                  \
	do {                                                                                       \
		if ((vec)->n == (vec)->cap)                                                        \
			(vec)->v = vec_grow((arena), (vec)->v, (vec)->n, &(vec)->cap,              \
					    sizeof(*(vec)->v));                                    \
		(vec)->v[(vec)->n++] = (__VA_ARGS__);                                              \
	} while (0)

/* True when both hold the same texts in the same order. */
bool strings_equal(const struct strings *a, const struct strings *b);
bool strings_has(const struct strings *list, const char *text);
/* For sorting `const char *` elements by bytes with qsort. */
int strings_compare(const void *a, const void *b);

#endif
