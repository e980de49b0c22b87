/* SPDX-License-Identifier: Apache-2.0 */
/* target.c — see target.h. */
#include "buildexec/cnb/target.h"

#include <string.h>

#define LABEL_BASE_ID        "io.buildpacks.base.id"
#define LABEL_DISTRO_NAME    "io.buildpacks.base.distro.name"
#define LABEL_DISTRO_VERSION "io.buildpacks.base.distro.version"

struct target target_of(const struct image_config *config)
{
	const char *name = pairs_get(&config->labels, LABEL_DISTRO_NAME);
	const char *version = pairs_get(&config->labels, LABEL_DISTRO_VERSION);

	return (struct target){
		.id = pairs_get(&config->labels, LABEL_BASE_ID),
		.os = config->platform.os,
		.arch = config->platform.arch,
		.variant = config->platform.variant,
		.has_distro = name || version,
		.distro_name = name ? name : "",
		.distro_version = version ? version : "",
	};
}

static const char *filled(const char *text)
{
	return text && text[0] != '\0' ? text : NULL;
}

struct node *target_encode(const struct target *target, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	node_set_text(arena, out, "id", filled(target->id));
	node_set(arena, out, "os", node_string(arena, target->os ? target->os : ""));
	node_set(arena, out, "arch", node_string(arena, target->arch ? target->arch : ""));
	node_set_text(arena, out, "arch-variant", filled(target->variant));
	if (target->has_distro) {
		struct node *distro = node_new(arena, NODE_MAP);

		node_set(arena, distro, "name", node_string(arena, target->distro_name));
		node_set(arena, distro, "version", node_string(arena, target->distro_version));
		node_set(arena, out, "distro", distro);
	}
	return out;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* An empty side fits everything. */
static bool fits(const char *a, const char *b)
{
	return !filled(a) || !filled(b) || strcmp(a, b) == 0;
}

bool target_allows_rebase(const struct target *new_base, const struct target *old_base)
{
	if (!same(new_base->os, old_base->os) || !same(new_base->arch, old_base->arch) ||
	    !fits(new_base->variant, old_base->variant))
		return false;
	if (!new_base->has_distro)
		return true;
	if (!old_base->has_distro)
		return false;
	return (!filled(new_base->distro_name) ||
		same(new_base->distro_name, old_base->distro_name)) &&
	       (!filled(new_base->distro_version) ||
		same(new_base->distro_version, old_base->distro_version));
}

static const char *unquote(const char *value, size_t n, struct arena *arena)
{
	if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0])
		return arena_copy(arena, value + 1, n - 2);
	return arena_copy(arena, value, n);
}

bool os_release_parse(const char *text, struct arena *arena, const char **id, const char **version)
{
	*id = *version = NULL;
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n >= 3 && strncmp(text, "ID=", 3) == 0)
			*id = unquote(text + 3, n - 3, arena);
		if (n >= 11 && strncmp(text, "VERSION_ID=", 11) == 0)
			*version = unquote(text + 11, n - 11, arena);
		text += n + (text[n] == '\n');
	}
	return *id || *version;
}
