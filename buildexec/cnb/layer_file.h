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
	bool has_ignored_types;      /* before Buildpack API 0.6 a table [types] means nothing */
	const struct node *metadata; /* of any kind; NULL when there is none */
};
/*
 * The flags are in [types] from Buildpack API 0.6 on, and at the top level before. At the top level from 0.6 on they are an
 * error: they would be ignored in silence.
 */
MUST_CHECK bool layer_file_decode(const struct node *tree, struct api api, struct layer_file *out,
				  struct err *err);
/* What a buildpack finds restored: [metadata] with sorted keys, before Buildpack API 0.6 the flags too. */
struct node *layer_file_encode(const struct layer_file *file, struct api api, struct arena *arena);

/* "x.sbom.cdx.json" → "sbom.cdx.json"; NULL when it is in no known format. `media_type` may be
 * NULL. */
const char *sbom_name(const char *file, const char **media_type);
/* True for "<anything>.sbom.<anything>.json". */
bool is_sbom_file(const char *file);
/* A declared type may carry parameters (";version=1.4"). */
bool sbom_is_declared(const struct strings *declared, const char *media_type);

#endif
