/* SPDX-License-Identifier: Apache-2.0 */
/* run_images.c — see run_images.h. */
#include "buildexec/cnb/run_images.h"

#include <string.h>

#include "buildexec/cnb/value.h"
#include "model/oci/ref.h"

void run_toml_read(const struct node *toml, struct arena *arena, struct run_images *out)
{
	const struct node *images = value_get(toml, "images");

	*out = (struct run_images){ 0 };
	if (!images || images->kind != NODE_SEQ)
		return;
	for (const struct node *item = images->first; item; item = item->next) {
		struct run_image_names names = { 0 };

		run_image_names_decode(item, arena, &names);
		if (names.image)
			vec_push(arena, out, names);
	}
}

void stack_toml_read(const struct node *toml, struct arena *arena, struct run_images *out)
{
	struct run_image_names names = { 0 };

	*out = (struct run_images){ 0 };
	run_image_names_decode(value_get(toml, "run-image"), arena, &names);
	if (names.image)
		vec_push(arena, out, names);
}

/* "registry/repo:tag" without the digest; the text itself when it is no reference. */
static const char *comparable(const char *image, struct arena *arena)
{
	const char *at = strstr(image, "@sha256:");
	const char *name = at ? arena_copy(arena, image, (size_t)(at - image)) : image;
	struct err ignored = { 0 };
	struct ref ref;

	if (!ref_parse(name, arena, &ref, &ignored))
		return image;
	return ref_format(&ref, arena);
}

bool run_image_names_have(const struct run_image_names *names, const char *image,
			  struct arena *arena)
{
	const char *wanted = comparable(image, arena);

	if (names->image && strcmp(comparable(names->image, arena), wanted) == 0)
		return true;
	for (size_t i = 0; i < names->mirrors.n; i++)
		if (strcmp(comparable(names->mirrors.v[i], arena), wanted) == 0)
			return true;
	return false;
}

const struct run_image_names *run_images_for_label(const struct run_images *images,
						   const char *image, struct arena *arena)
{
	for (size_t i = 0; image && i < images->n; i++)
		if (run_image_names_have(&images->v[i], image, arena))
			return &images->v[i];
	return images->n > 0 ? &images->v[0] : NULL;
}

static bool is_on(const char *image, const char *registry, struct arena *arena)
{
	struct err ignored = { 0 };
	struct ref ref;

	return ref_parse(image, arena, &ref, &ignored) && strcmp(ref.registry, registry) == 0;
}

struct strings run_image_candidates(const struct run_image_names *names, const char *registry,
				    struct arena *arena)
{
	struct strings all = { 0 }, out = { 0 };

	if (names->image)
		vec_push(arena, &all, names->image);
	for (size_t i = 0; i < names->mirrors.n; i++)
		vec_push(arena, &all, names->mirrors.v[i]);
	for (size_t i = 0; registry && i < all.n; i++)
		if (is_on(all.v[i], registry, arena))
			vec_push(arena, &out, all.v[i]);
	for (size_t i = 0; i < all.n; i++)
		if (!strings_has(&out, all.v[i]))
			vec_push(arena, &out, all.v[i]);
	return out;
}
