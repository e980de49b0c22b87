/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images.h — which images a Dockerfile takes from outside: FROM, COPY --from and RUN --mount from=. Stages and "scratch" are
 * none. Variables are replaced as far as their values are known. Pure.
 * Spec: Dockerfile reference, "Understand how ARG and FROM interact", "Automatic platform ARGs".
 */
#ifndef BUILDEXEC_ENGINE_IMAGES_H
#define BUILDEXEC_ENGINE_IMAGES_H

#include "buildexec/engine/dockerfile.h"
#include "model/oci/image.h"

struct docker_image {
	const char *name;     /* as written, variables replaced */
	const char *platform; /* "os/arch[/variant]"; NULL: of this machine */
	/* Where another name goes; NULL value: nowhere, the image must be there by the name it has */
	struct docker_span place;
	uint32_t line;
};
struct docker_images {
	struct docker_image *v; /* in order; an image is there as often as it is named */
	size_t n, cap;
	struct strings unknown; /* names with variables that nobody knows before the build */
};

/* `args` are the build arguments. */
void docker_images_find(const struct dockerfile *file, const struct pairs *args,
			const struct platform *host, struct arena *arena,
			struct docker_images *out);
/* The text with other names: names->v[i] for images->v[i], where it has a place. */
void docker_images_replace(const struct dockerfile *file, const struct docker_images *images,
			   const struct strings *names, struct buf *out);

/*
 * The line of the one instruction that an engine names by its text ("RUN make all"); 0: there is none or are several such.
 * Blanks do not count.
 */
uint32_t dockerfile_line_of(const struct dockerfile *file, const char *instruction);

#endif
