/* SPDX-License-Identifier: Apache-2.0 */
/* build_info.c — see build_info.h. */
#include "model/kind/build_info.h"

#include <string.h>

static const struct source_info no_info;

struct env_list {
	struct env_var *v;
	size_t n, cap;
};
struct label_list {
	struct image_label *v;
	size_t n, cap;
};

static void put_env(struct env_list *env, const char *name, const char *value, struct arena *arena)
{
	if (value && *value)
		vec_push(arena, env, (struct env_var){ .name = name, .value = value });
}

static const char *commit_of(const struct build_common *spec, const struct source_info *info)
{
	if (info->commit && *info->commit)
		return info->commit;
	return spec->revision && spec->revision->git ? spec->revision->git->commit : NULL;
}

struct list build_info_env(const struct build_id *id, const struct build_common *spec,
			   const struct source_info *info, struct arena *arena)
{
	struct env_list env = { 0 };

	put_env(&env, "OPENSHIFT_BUILD_NAME", id->name, arena);
	put_env(&env, "OPENSHIFT_BUILD_NAMESPACE", id->ns, arena);
	if (spec->source.git) {
		/* As it may be shown, where somebody has looked. */
		put_env(&env, "OPENSHIFT_BUILD_SOURCE",
			info && info->location ? info->location : spec->source.git->uri, arena);
		put_env(&env, "OPENSHIFT_BUILD_REFERENCE", spec->source.git->ref, arena);
		put_env(&env, "OPENSHIFT_BUILD_COMMIT", commit_of(spec, info ? info : &no_info),
			arena);
	}
	return (struct list){ env.v, env.n };
}

static void put_label(struct label_list *labels, const char *key, const char *value,
		      struct arena *arena)
{
	if (value && *value)
		vec_push(arena, labels,
			 (struct image_label){ arena_printf(arena, "io.openshift.build.%s", key),
					       value });
}

struct list build_info_labels(const struct build_id *id, const struct build_common *spec,
			      const struct source_info *info, struct arena *arena)
{
	const struct build_git *git = spec->source.git;
	const char *ref = git ? git->ref : NULL, *author = NULL;
	struct label_list labels = { 0 };

	if (!info)
		info = &no_info;
	if (info->author_name && *info->author_name)
		author = arena_printf(arena, "%s <%s>", info->author_name,
				      info->author_email ? info->author_email : "");
	put_label(&labels, "commit.author", author, arena);
	put_label(&labels, "commit.date", info->date, arena);
	put_label(&labels, "commit.id", info->commit, arena);
	put_label(&labels, "commit.message", info->message, arena);
	put_label(&labels, "commit.ref", ref && *ref ? ref : info->ref, arena);
	put_label(&labels, "name", id->name, arena);
	put_label(&labels, "namespace", id->ns, arena);
	put_label(&labels, "source-context-dir", spec->source.context_dir, arena);
	put_label(&labels, "source-location", info->location, arena);
	for (size_t i = 0; i < spec->output.labels.n; i++)
		vec_push(arena, &labels, *LIST_AT(spec->output.labels, struct image_label, i));
	return (struct list){ labels.v, labels.n };
}
