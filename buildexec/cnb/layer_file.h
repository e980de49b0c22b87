/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_file.h — <layer>.toml: what a layer is for, and its metadata. Also the names of SBOM files.
 * Pure. Spec: buildpack.md "Layer Content Metadata (TOML)", "SBOM".
 */
#ifndef BUILDEXEC_CNB_LAYER_FILE_H
#define BUILDEXEC_CNB_LAYER_FILE_H

#include "buildexec/cnb/descriptor.h"

struct layer_file {
	bool is_build, is_launch, is_cache;
	const struct node *metadata; /* of any kind; NULL when there is none */
};
/* Flags at the top level (Buildpack API < 0.6) are an error: they would be ignored in silence. */
MUST_CHECK bool layer_file_decode(const struct node *tree, struct layer_file *out, struct err *err);
/* What a buildpack finds restored: [metadata] alone, keys sorted. */
struct node *layer_file_encode(const struct layer_file *file, struct arena *arena);

/* "x.sbom.cdx.json" → "sbom.cdx.json"; NULL when it is in no known format. `media_type` may be
 * NULL. */
const char *sbom_name(const char *file, const char **media_type);
/* True for "<anything>.sbom.<anything>.json". */
bool is_sbom_file(const char *file);
/* A declared type may carry parameters (";version=1.4"). */
bool sbom_is_declared(const struct strings *declared, const char *media_type);

#endif
