/* SPDX-License-Identifier: Apache-2.0 */
/* environment.c — see environment.h: two tables, and the strategy's own variables between them. */
#include "buildexec/custom/environment.h"

#include <string.h>

#include "model/oci/docker_ref.h"

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct facts {
	const struct bc_request *config;
	const struct build_git *git; /* NULL: another source */
	const struct custom_secrets *secrets;
	const char *registry, *image; /* of the output; NULL: none */
};

static const char *build_json(const struct facts *facts)
{
	return facts->config->build_json;
}

static const char *lang(const struct facts *facts)
{
	(void)facts;
	return "C.utf8";
}

static const char *uri(const struct facts *facts)
{
	return facts->git ? facts->git->uri : NULL;
}

static const char *context_dir(const struct facts *facts)
{
	return facts->git ? facts->config->spec.source.context_dir : NULL;
}

static const char *git_ref(const struct facts *facts)
{
	return facts->git ? facts->git->ref : NULL;
}

static const char *output_registry(const struct facts *facts)
{
	return facts->registry;
}

static const char *output_image(const struct facts *facts)
{
	return facts->image;
}

static const char *base_image(const struct facts *facts)
{
	return facts->config->spec.strategy.custom->from.name;
}

static const char *docker_socket(const struct facts *facts)
{
	return facts->config->docker_socket ? CUSTOM_DOCKER_SOCKET : NULL;
}

static const char *push_path(const struct facts *facts)
{
	return facts->secrets->push;
}

static const char *pull_path(const struct facts *facts)
{
	return facts->secrets->pull;
}

static const char *source_path(const struct facts *facts)
{
	return facts->secrets->source;
}

struct variable {
	const char *name;
	const char *(*value)(const struct facts *facts); /* NULL and "": left out */
};

/* clang-format off */
static const struct variable before_strategy[] = {
	{ "BUILD",                             build_json },
	{ "LANG",                              lang },
	{ "SOURCE_REPOSITORY",                 uri },
	{ "SOURCE_URI",                        uri },
	{ "SOURCE_CONTEXT_DIR",                context_dir },
	{ "SOURCE_REF",                        git_ref },
	{ "OUTPUT_REGISTRY",                   output_registry },
	{ "OUTPUT_IMAGE",                      output_image },
	{ "OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE", base_image },
};
static const struct variable after_strategy[] = {
	{ "DOCKER_SOCKET",       docker_socket },
	{ "PUSH_DOCKERCFG_PATH", push_path },
	{ "PULL_DOCKERCFG_PATH", pull_path },
	{ "SOURCE_SECRET_PATH",  source_path },
};
/* clang-format on */

static void put(const struct variable *table, size_t n, const struct facts *facts,
		struct arena *arena, struct strings *env)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = table[i].value(facts);

		if (value && value[0])
			env_set(arena, env, table[i].name, value);
	}
}

/* "quay.io/shop/cart:1" is told as "quay.io" and "shop/cart:1". */
static bool split_output(const struct build_output *output, struct arena *arena,
			 struct facts *facts, struct err *err)
{
	struct docker_ref ref;

	if (!output->to)
		return true;
	if (!docker_ref_parse(output->to->name, arena, &ref, err))
		return err_prefix(err, "output.to");
	facts->registry = ref.registry;
	ref.registry = "";
	facts->image = docker_ref_format(&ref, arena);
	return true;
}

static bool check_lengths(const struct strings *env, struct err *err)
{
	for (size_t i = 0; i < env->n; i++)
		if (strlen(env->v[i]) + 1 > LIMIT_VARIABLE_BYTES)
			return err_set(err, ERR_INVALID,
				       "variable '%.*s' has %zu bytes, but no program can be given "
				       "more than %u in one",
				       (int)strcspn(env->v[i], "="), env->v[i], strlen(env->v[i]),
				       LIMIT_VARIABLE_BYTES - 1);
	return true;
}

bool custom_environment_make(const struct custom_environment *from, struct arena *arena,
			     struct strings *out, struct err *err)
{
	const struct build_common *spec = &from->config->spec;
	const struct list *own = &spec->strategy.custom->env;
	struct facts facts = { .config = from->config,
			       .git = spec->source.git,
			       .secrets = from->secrets };

	*out = (struct strings){ 0 };
	if (!split_output(&spec->output, arena, &facts, err))
		return false;
	for (size_t i = 0; i < from->image_env->n; i++)
		vec_push(arena, out, from->image_env->v[i]);
	put(before_strategy, COUNTOF(before_strategy), &facts, arena, out);
	for (size_t i = 0; i < own->n; i++) {
		const struct env_var *var = LIST_AT(*own, const struct env_var, i);

		env_set(arena, out, var->name, var->value ? var->value : "");
	}
	put(after_strategy, COUNTOF(after_strategy), &facts, arena, out);
	if (!env_get(out, "PATH"))
		env_set(arena, out, "PATH", USUAL_PATH);
	if (!env_get(out, "HOME"))
		env_set(arena, out, "HOME", from->home ? from->home : "/");
	return check_lengths(out, err);
}
