/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_strategy_check.c — the rules of strategies, of references to images and of variables. Texts: openshift-apiserver,
 * build validation (openshift.md §3.3).
 */
#include <string.h>

#include "model/base/path.h"
#include "model/kind/build_check.h"
#include "model/kind/stream_check.h"
#include "model/oci/docker_ref.h"
#include "model/oci/ref.h"

enum { JENKINSFILE_BYTES = 100000 };

/* ---- references to images ---- */

const struct from_texts FROM_TEXTS = {
	.form = "must be <name>:<tag>",
	.syntax = "invalid name syntax",
	.ns = "must be a valid namespace",
	.no_ns = "not valid when used with a 'DockerImage'",
	.pull_spec = "not a valid Docker pull specification",
	.kinds = "must be 'ImageStreamTag', 'ImageStreamImage', or 'DockerImage'",
	.may_be_image = true,
};
const struct from_texts TO_TEXTS = {
	.form = "ImageStreamTag object references must be in the form <name>:<tag>",
	.syntax = "ImageStreamTag name contains invalid syntax",
	.ns = "namespace must be a valid subdomain",
	.no_ns = "namespace is not valid when used with a 'DockerImage'",
	.pull_spec = "name is not a valid Docker pull specification",
	.kinds = "the target of build output must be an 'ImageStreamTag' or 'DockerImage'",
};

/* Why "<stream><mark><rest>" is none, or NULL. */
static const char *stream_part_mistake(const struct checker *c, const char *name, char mark,
				       const struct from_texts *texts)
{
	const char *at = strchr(name, mark);
	/* A registry's image where a stream's tag should be is the usual slip. */
	const char *hint =
		strchr(name, '/') ? "; for an image in a registry use kind: DockerImage" : "";

	if (!at || at == name || !at[1])
		return arena_printf(c->arena, "%s%s",
				    mark == '@' ? "must be <name>@<id>" : texts->form, hint);
	if (stream_name_mistake(arena_copy(c->arena, name, (size_t)(at - name))))
		return arena_printf(c->arena, "%s%s", texts->syntax, hint);
	return mark == ':' && !ref_tag_is_valid(at + 1) ? texts->form : NULL;
}

static const char *from_mistake(const struct checker *c, const struct object_ref *from,
				const struct from_texts *texts)
{
	struct err err = { 0 };
	struct docker_ref ref;

	if (strcmp(from->kind, FROM_STREAM_TAG) == 0)
		return stream_part_mistake(c, from->name, ':', texts);
	if (strcmp(from->kind, FROM_STREAM_IMAGE) == 0)
		return stream_part_mistake(c, from->name, '@', texts);
	if (!docker_ref_parse(from->name, c->arena, &ref, &err))
		return arena_printf(c->arena, "%s: %s", texts->pull_spec, err.text);
	if (!*ref.name)
		return arena_printf(c->arena, "%s: it names a registry, and no image in it",
				    texts->pull_spec);
	return NULL;
}

void check_from(const struct checker *c, const char *path, const struct object_ref *from,
		const struct from_texts *texts)
{
	const char *kind_at = arena_printf(c->arena, "%s.kind", path);
	const char *name_at = arena_printf(c->arena, "%s.name", path);
	const char *ns_at = arena_printf(c->arena, "%s.namespace", path);
	const char *mistake;
	bool is_docker;

	if (!check_present(c, kind_at, from->kind))
		return;
	is_docker = strcmp(from->kind, FROM_DOCKER_IMAGE) == 0;
	if (!is_docker && strcmp(from->kind, FROM_STREAM_TAG) != 0 &&
	    !(texts->may_be_image && strcmp(from->kind, FROM_STREAM_IMAGE) == 0)) {
		check_invalid(c, kind_at, from->kind, texts->kinds);
		return;
	}
	if (check_present(c, name_at, from->name)) {
		mistake = from_mistake(c, from, texts);
		if (mistake)
			check_invalid(c, name_at, from->name, mistake);
	}
	if (!from->ns || !*from->ns)
		return;
	if (is_docker)
		check_invalid(c, ns_at, from->ns, texts->no_ns);
	else if (!check_name_is_valid(from->ns))
		check_invalid(c, ns_at, from->ns, texts->ns);
}

/* ---- variables, volumes ---- */

static const char *variable_mistake(const char *name)
{
	static const char first[] = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char form[] =
		"a valid environment variable name must consist of alphabetic characters, digits, "
		"'_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
		"'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
		"'[-._a-zA-Z][-._a-zA-Z0-9]*')";

	if (strcmp(name, ".") == 0)
		return "must not be '.'";
	if (strcmp(name, "..") == 0)
		return "must not be '..'";
	if (strncmp(name, "..", 2) == 0)
		return "must not start with '..'";
	for (const char *p = name; *p; p++)
		if (!strchr(first, *p) && !(p > name && *p >= '0' && *p <= '9'))
			return form;
	return NULL;
}

/* One of the sources that a build can read, and nothing beside it. */
static void check_value_from(const struct checker *c, const char *path, const struct env_var *var)
{
	static const char *const sources[] = { "secretKeyRef", "configMapKeyRef", "fieldRef" };
	size_t n = 0;

	if (var->value && *var->value)
		check_refuse(c, path, "may not be specified when `value` is not empty");
	if (node_get(var->value_from, "resourceFieldRef")) {
		check_refuse(c, arena_printf(c->arena, "%s.resourceFieldRef", path),
			     "ResourceFieldRef is not valid for valueFrom in build environment "
			     "variables");
		return;
	}
	for (size_t i = 0; i < COUNTOF(sources); i++)
		n += node_get(var->value_from, sources[i]) != NULL;
	if (n != 1)
		check_refuse(c, path,
			     "must have exactly one of secretKeyRef, configMapKeyRef, fieldRef");
}

static void check_variables(const struct checker *c, const char *path, const struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct env_var *var = LIST_AT(*list, struct env_var, i);
		const char *at = arena_printf(c->arena, "%s[%zu]", path, i);
		const char *name_at = arena_printf(c->arena, "%s.name", at), *mistake;

		if (check_filled(c, name_at, var->name)) {
			mistake = variable_mistake(var->name);
			if (mistake)
				check_invalid(c, name_at, var->name, mistake);
		}
		if (var->value_from)
			check_value_from(c, arena_printf(c->arena, "%s.valueFrom", at), var);
	}
}

static void check_volume_source(const struct checker *c, const char *path,
				const struct build_volume *volume)
{
	const struct {
		const char *type, *key, *name_key;
		const struct volume_files *files;
		bool is_there;
	} sources[] = {
		{ "Secret", "secret", "secretName", volume->secret, volume->secret },
		{ "ConfigMap", "configMap", "name", volume->config_map, volume->config_map },
		{ "CSI", "csi", NULL, NULL, volume->csi },
	};
	const char *at = arena_printf(c->arena, "%s.type", path);
	bool is_type = false;

	if (!check_filled(c, at, volume->type))
		return;
	for (size_t i = 0; i < COUNTOF(sources); i++) {
		bool is_it = strcmp(volume->type, sources[i].type) == 0;
		const char *key_at = arena_printf(c->arena, "%s.%s", path, sources[i].key);

		is_type |= is_it;
		if (is_it && !sources[i].is_there)
			check_fail(c, path, "missing field(s): %s", key_at);
		if (!is_it && sources[i].is_there)
			check_fail(c, key_at, "may not be set when type is %s: %s", volume->type,
				   key_at);
		if (sources[i].files)
			check_present(c,
				      arena_printf(c->arena, "%s.%s", key_at, sources[i].name_key),
				      sources[i].files->name);
	}
	if (!is_type)
		check_invalid(c, at, volume->type, "must be 'Secret', 'ConfigMap', or 'CSI'");
}

static void check_volumes(const struct checker *c, const char *strategy, const struct list *volumes)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < volumes->n; i++) {
		const struct build_volume *volume = LIST_AT(*volumes, struct build_volume, i);
		const char *at = arena_printf(c->arena, "%s.volumes[%zu]", strategy, i);
		const char *name_at = arena_printf(c->arena, "%s.name", at);

		if (check_filled(c, name_at, volume->name)) {
			if (!name_is_label(volume->name))
				check_invalid(c, name_at, volume->name,
					      "must be at most 63 lower case letters, digits or "
					      "'-', and start and end with a letter or digit");
			if (map_has(&seen, volume->name))
				check_fail(c, name_at, "duplicate value: %s: %s", volume->name,
					   name_at);
			map_set(c->arena, &seen, volume->name, &seen);
		}
		check_volume_source(c, arena_printf(c->arena, "%s.source", at), volume);
		if (!volume->mounts.n)
			check_fail(c, arena_printf(c->arena, "%s.mounts", at),
				   "missing field(s): %s.mounts", at);
		for (size_t k = 0; k < volume->mounts.n; k++) {
			const char *path =
				LIST_AT(volume->mounts, struct volume_mount, k)->destination_path;

			if (path && !path[strspn(path, " \t")])
				check_present(c,
					      arena_printf(c->arena,
							   "%s.mounts[%zu].destinationPath", at, k),
					      NULL);
		}
	}
}

/* ---- strategies ---- */

static void check_relative(const struct checker *c, const char *path, const char *field,
			   const char *file)
{
	const char *clean = file ? path_clean(file, c->arena) : "";

	if (*clean == '/' || strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0)
		check_invalid(c, arena_printf(c->arena, "%s.%s", path, field), file,
			      arena_printf(c->arena,
					   "%s must be a relative path within your source location",
					   field));
}

static void check_docker(const struct checker *c, const struct docker_strategy *docker)
{
	static const char at[] = "spec.strategy.dockerStrategy";
	const char *policy = docker->optimization;

	if (docker->from)
		check_from(c, arena_printf(c->arena, "%s.from", at), docker->from, &FROM_TEXTS);
	check_pull_secret(c, at, docker->pull_secret);
	if (policy && strcmp(policy, "None") != 0 && strcmp(policy, "SkipLayers") != 0 &&
	    strcmp(policy, "SkipLayersAndWarn") != 0)
		check_invalid(c, arena_printf(c->arena, "%s.imageOptimizationPolicy", at), policy,
			      "must be unset, 'None', 'SkipLayers', or 'SkipLayersAndWarn'");
	check_relative(c, at, "dockerfilePath", docker->dockerfile_path);
	check_variables(c, arena_printf(c->arena, "%s.env", at), &docker->env);
	check_variables(c, arena_printf(c->arena, "%s.buildArgs", at), &docker->build_args);
	check_volumes(c, at, &docker->volumes);
}

static void check_s2i(const struct checker *c, const struct source_strategy *source)
{
	static const char at[] = "spec.strategy.sourceStrategy";

	check_from(c, arena_printf(c->arena, "%s.from", at), &source->from, &FROM_TEXTS);
	check_pull_secret(c, at, source->pull_secret);
	check_variables(c, arena_printf(c->arena, "%s.env", at), &source->env);
	check_volumes(c, at, &source->volumes);
}

static void check_custom(const struct checker *c, const struct custom_strategy *custom)
{
	static const char at[] = "spec.strategy.customStrategy";

	check_from(c, arena_printf(c->arena, "%s.from", at), &custom->from, &FROM_TEXTS);
	check_pull_secret(c, at, custom->pull_secret);
	check_variables(c, arena_printf(c->arena, "%s.env", at), &custom->env);
	for (size_t i = 0; i < custom->secrets.n; i++) {
		const struct secret_spec_mount *secret =
			LIST_AT(custom->secrets, struct secret_spec_mount, i);

		check_filled(c, arena_printf(c->arena, "%s.secrets[%zu].secretSource.name", at, i),
			     secret->secret.name);
		check_filled(c, arena_printf(c->arena, "%s.secrets[%zu].mountPath", at, i),
			     secret->mount_path);
	}
}

static void check_pipeline(const struct checker *c, const struct pipeline_strategy *pipeline)
{
	static const char at[] = "spec.strategy.jenkinsPipelineStrategy";

	if (pipeline->path && pipeline->text) {
		check_refuse(c, at,
			     "must provide a value for at most one of jenkinsfilePath, or "
			     "jenkinsfile");
		return;
	}
	if (pipeline->text && strlen(pipeline->text) > JENKINSFILE_BYTES)
		check_fail(c, arena_printf(c->arena, "%s.jenkinsfile", at),
			   "must be smaller than %d bytes: %s.jenkinsfile", (int)JENKINSFILE_BYTES,
			   at);
	check_relative(c, at, "jenkinsfilePath", pipeline->path);
	check_variables(c, arena_printf(c->arena, "%s.env", at), &pipeline->env);
}

void check_strategy(const struct checker *c, const struct build_strategy *strategy)
{
	int n = (strategy->docker != NULL) + (strategy->source != NULL) +
		(strategy->custom != NULL) + (strategy->pipeline != NULL);

	if (n != 1) {
		check_refuse(c, "spec.strategy",
			     "must provide a value for exactly one of sourceStrategy, "
			     "customStrategy, dockerStrategy, or jenkinsPipelineStrategy");
		return;
	}
	if (strategy->docker)
		check_docker(c, strategy->docker);
	if (strategy->source)
		check_s2i(c, strategy->source);
	if (strategy->custom)
		check_custom(c, strategy->custom);
	if (strategy->pipeline)
		check_pipeline(c, strategy->pipeline);
}
