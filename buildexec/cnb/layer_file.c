/* SPDX-License-Identifier: Apache-2.0 */
/* layer_file.c — flags of layers, formats of SBOM files. */
#include "buildexec/cnb/layer_file.h"

#include <string.h>
#include <strings.h>

#include "buildexec/cnb/value.h"

bool layer_file_decode(const struct node *tree, struct api api, struct layer_file *out,
		       struct err *err)
{
	bool is_old = !api_at_least(api, 6);
	const struct node *types = NULL;

	*out = (struct layer_file){ .metadata = value_get(tree, "metadata"),
				    .has_ignored_types = is_old && value_get(tree, "types") };
	if ((!is_old && !value_table(tree, "types", &types, err)) ||
	    !value_bool(is_old ? tree : types, "build", &out->is_build, err) ||
	    !value_bool(is_old ? tree : types, "launch", &out->is_launch, err) ||
	    !value_bool(is_old ? tree : types, "cache", &out->is_cache, err))
		return false;
	if (!is_old &&
	    (value_get(tree, "build") || value_get(tree, "launch") || value_get(tree, "cache")))
		return err_set(err, ERR_INVALID,
			       "the launch, cache and build flags should be in the types table");
	return true;
}

struct node *layer_file_encode(const struct layer_file *file, struct api api, struct arena *arena)
{
	struct node *tree = node_new(arena, NODE_MAP);

	if (!api_at_least(api, 6)) {
		node_set(arena, tree, "build", node_bool(arena, file->is_build));
		node_set(arena, tree, "launch", node_bool(arena, file->is_launch));
		node_set(arena, tree, "cache", node_bool(arena, file->is_cache));
	}
	if (file->metadata) {
		struct node *metadata = node_clone(arena, file->metadata);

		node_sort_keys(metadata);
		node_set(arena, tree, "metadata", metadata);
	}
	return tree;
}

static const struct sbom_format {
	const char *suffix, *media_type;
} formats[] = {
	{ ".sbom.cdx.json", "application/vnd.cyclonedx+json" },
	{ ".sbom.spdx.json", "application/spdx+json" },
	{ ".sbom.syft.json", "application/vnd.syft+json" },
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

const char *sbom_name(const char *file, const char **media_type)
{
	for (size_t i = 0; i < COUNTOF(formats); i++)
		if (ends_with(file, formats[i].suffix)) {
			if (media_type)
				*media_type = formats[i].media_type;
			return formats[i].suffix + 1;
		}
	return NULL;
}

bool is_sbom_file(const char *file)
{
	const char *mark = strstr(file, ".sbom.");

	/* The two dots around the format may not be one and the same. */
	return mark && strlen(mark) >= strlen(".sbom..json") && ends_with(file, ".json");
}

bool sbom_is_declared(const struct strings *declared, const char *media_type)
{
	for (size_t i = 0; i < declared->n; i++) {
		const char *type = declared->v[i] + strspn(declared->v[i], " \t");
		size_t n = strcspn(type, "; \t");

		if (n == strlen(media_type) && strncasecmp(type, media_type, n) == 0)
			return true;
	}
	return false;
}
