/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_digest.c — folders as layers, each setting of the compressor with several numbers of threads; prints diff id, digest
 * and size of each. For tests that compare what different machines make of the same files: layer_digest BLOBS FOLDER…
 */
#include <stdio.h>

#include "buildexec/image/layer.h"

static bool print_digests(const char *blobs, const char *folder, enum layer_profile profile,
			  size_t n_threads, struct err *err)
{
	const struct layer_options options = { blobs, profile, n_threads };
	const struct tar_map map = { .dir = folder, .name = "/layer", .is_faithful = true };
	const struct tar_owner owner = { 1000, 1000, TAR_FIXED_MTIME_S };
	struct layer_result result;
	AUTO_LAYER *layer = NULL;

	if (!layer_open(&options, &layer, err) ||
	    !tar_add_tree(layer_tar(layer), &map, &owner, err) ||
	    !layer_commit(&layer, &result, err))
		return err_prefix(err, "layer of '%s'", folder);
	printf("%d %s %s %llu\n", (int)profile, result.diff_id.text, result.digest.text,
	       (unsigned long long)result.size_bytes);
	return true;
}

int main(int argc, char **argv)
{
	static const size_t threads[] = { 0, 1, 2, 3 };
	struct err err = { 0 };

	for (int i = 2; i < argc; i++)
		for (int profile = 0; profile < LAYER_PROFILES; profile++)
			for (size_t k = 0; k < COUNTOF(threads); k++)
				if (!print_digests(argv[1], argv[i], (enum layer_profile)profile,
						   threads[k], &err)) {
					fprintf(stderr, "%s\n", err.text);
					return 1;
				}
	return argc < 3;
}
