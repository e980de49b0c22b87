/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bom.h — the bill of materials of an image, as the buildpacks that built it wrote it: the files of the SBOM layer, and the
 * list in the label io.buildpacks.build.metadata that platforms before 0.9 made. Each file stays whole; out of them comes one
 * list of components for people. A layer that is described in several formats counts once: CycloneDX, else Syft, else SPDX.
 * Spec: buildpacks/spec platform.md "io.buildpacks.lifecycle.metadata" (sbom), buildpack.md "Software-Bill-of-Materials";
 * CycloneDX 1.x (components), SPDX 2.x (packages), Syft JSON (artifacts).
 */
#ifndef BUILDEXEC_CNB_BOM_H
#define BUILDEXEC_CNB_BOM_H

#include "buildexec/registry/registry.h"
#include "model/doc/node.h"

struct bom_component {
	const char *name; /* never NULL; the others NULL when not written */
	const char *version, *license, *purl;
	const char *buildpack, *layer;
};
struct bom_file {
	const char *path;       /* below /layers/sbom/launch; "" for the label */
	const char *media_type; /* NULL: the legacy list */
	const struct node *document;
};
struct bom {
	struct strings buildpacks; /* ids, to name what files name with '_' for '/' */
	VEC(struct bom_file) files;
	VEC(struct bom_component) components;
};

/* Pure: takes a file of the SBOM layer; other paths than those of SBOM files are passed over. */
void bom_add(struct bom *bom, const char *path, const struct node *document, struct arena *arena);
/* Pure: fills the components from the files. Shapes that are not as the formats say give none. */
void bom_list(struct bom *bom, struct arena *arena);

/*
 * Reads an image's. ERR_ABSENT: the image is gone. ERR_INVALID: what it holds cannot be read. An image without a bill of
 * materials gives an empty one. `cache_dir`: for the layer.
 */
MUST_CHECK bool bom_read(struct registry *registry, const char *image, const char *cache_dir,
			 struct arena *arena, struct bom *out, struct err *err);

#endif
