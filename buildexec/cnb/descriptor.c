/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.c — one decoder per table of the files; targets by inference where a buildpack states
 * none. */
#include "buildexec/cnb/descriptor.h"

#include <string.h>

#include "buildexec/cnb/value.h"

static bool element_decode(const struct node *map, struct bp_element *out, struct err *err)
{
	*out = (struct bp_element){ 0 };
	if (!value_text(map, "id", &out->id, err) ||
	    !value_text(map, "version", &out->version, err) ||
	    !value_text(map, "api", &out->api, err) ||
	    !value_text(map, "homepage", &out->homepage, err) ||
	    !value_bool(map, "optional", &out->is_optional, err))
		return false;
	if (!out->id)
		out->id = "";
	if (!out->version)
		out->version = "";
	return true;
}

static bool elements_decode(const struct node *map, const char *key, struct arena *arena,
			    struct bp_group *out, struct err *err)
{
	const struct node *first;

	*out = (struct bp_group){ 0 };
	if (!value_tables(map, key, &first, err))
		return false;
	for (; first; first = first->next) {
		struct bp_element element;

		if (!element_decode(first, &element, err))
			return false;
		vec_push(arena, out, element);
	}
	return true;
}

static bool groups_decode(const struct node *tree, const char *key, struct arena *arena,
			  struct bp_order *out, struct err *err)
{
	const struct node *first;

	*out = (struct bp_order){ 0 };
	if (!value_tables(tree, key, &first, err))
		return false;
	for (; first; first = first->next) {
		struct bp_group group;

		if (!elements_decode(first, "group", arena, &group, err))
			return false;
		vec_push(arena, out, group);
	}
	return true;
}

bool order_decode(const struct node *tree, struct arena *arena, struct bp_order *out,
		  struct err *err)
{
	return groups_decode(tree, "order", arena, out, err);
}

bool order_add_extensions(struct bp_order *order, const struct node *tree, struct arena *arena,
			  struct err *err)
{
	struct bp_order *extensions = ARENA_NEW(arena, struct bp_order);
	struct bp_element element = {
		.id = "", .version = "", .is_optional = true, .extensions = extensions
	};

	if (!groups_decode(tree, "order-extensions", arena, extensions, err))
		return false;
	for (size_t i = 0; i < extensions->n; i++)
		for (size_t k = 0; k < extensions->v[i].n; k++) {
			extensions->v[i].v[k].is_extension = true;
			extensions->v[i].v[k].is_optional = true;
		}
	for (size_t i = 0; extensions->n && i < order->n; i++) {
		struct bp_group *old = &order->v[i], merged = { 0 };

		vec_push(arena, &merged, element);
		for (size_t k = 0; k < old->n; k++)
			vec_push(arena, &merged, old->v[k]);
		*old = merged;
	}
	return true;
}

static bool has_id(const struct bp_group *group, const char *id)
{
	for (size_t i = 0; i < group->n; i++)
		if (strcmp(group->v[i].id, id) == 0)
			return true;
	return false;
}

/* System buildpacks are never optional in the reference, whatever system.toml says. */
static void add_missing(const struct bp_group *from, const struct bp_group *present,
			struct arena *arena, struct bp_group *to)
{
	for (size_t i = 0; i < from->n; i++)
		if (!has_id(present, from->v[i].id))
			vec_push(arena, to,
				 (struct bp_element){ .id = from->v[i].id,
						      .version = from->v[i].version });
}

bool order_add_system(struct bp_order *order, const struct node *system, struct arena *arena,
		      struct err *err)
{
	const struct node *top, *pre_table = NULL, *post_table = NULL;
	struct bp_group pre, post;

	if (!value_table(system, "system", &top, err) ||
	    !value_table(top, "pre", &pre_table, err) ||
	    !value_table(top, "post", &post_table, err) ||
	    !elements_decode(pre_table, "buildpacks", arena, &pre, err) ||
	    !elements_decode(post_table, "buildpacks", arena, &post, err))
		return false;
	for (size_t i = 0; i < order->n; i++) {
		struct bp_group *old = &order->v[i], merged = { 0 };

		add_missing(&pre, old, arena, &merged);
		for (size_t k = 0; k < old->n; k++)
			vec_push(arena, &merged, old->v[k]);
		add_missing(&post, old, arena, &merged);
		*old = merged;
	}
	return true;
}

bool group_decode(const struct node *tree, const char *key, struct arena *arena,
		  struct bp_group *out, struct err *err)
{
	if (!elements_decode(tree, key, arena, out, err))
		return false;
	for (size_t i = 0; i < out->n; i++)
		if (!bp_is_safe(&out->v[i]))
			return err_set(err, ERR_INVALID, "buildpack '%s@%s' cannot name a folder",
				       out->v[i].id, out->v[i].version);
	return true;
}

void group_set(struct node *tree, const char *key, const struct bp_group *group, bool is_extension,
	       struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < group->n; i++) {
		const struct bp_element *element = &group->v[i];
		struct node *map;

		if (element->is_extension != is_extension)
			continue;
		map = node_new(arena, NODE_MAP);
		node_set_text(arena, map, "id", element->id);
		node_set_text(arena, map, "version", element->version);
		node_set_text(arena, map, "api", element->api);
		if (element->homepage && *element->homepage)
			node_set_text(arena, map, "homepage", element->homepage);
		node_push(seq, map);
	}
	if (seq->n)
		node_set(arena, tree, key, seq);
}

struct node *group_encode(const struct bp_group *group, struct arena *arena)
{
	struct node *tree = node_new(arena, NODE_MAP);

	group_set(tree, GROUP_KEY, group, false, arena);
	group_set(tree, GROUP_EXTENSIONS_KEY, group, true, arena);
	return tree;
}

static bool distro_decode(const struct node *map, struct bp_distro *out, struct err *err)
{
	return value_text(map, "name", &out->name, err) &&
	       value_text(map, "version", &out->version, err);
}

static bool target_decode_table(const struct node *map, struct arena *arena, struct bp_target *out,
				struct err *err)
{
	const struct node *first;
	const char *variant;
	VEC(struct bp_distro) distros = { 0 };

	*out = (struct bp_target){ 0 };
	if (!value_text(map, "os", &out->os, err) || !value_text(map, "arch", &out->arch, err) ||
	    !value_text(map, "arch-variant", &out->variant, err) ||
	    !value_text(map, "variant", &variant, err) ||
	    !value_tables(map, "distros", &first, err))
		return false;
	if (!out->variant) /* the spec's spelling; the reference reads the other one */
		out->variant = variant;
	for (; first; first = first->next) {
		struct bp_distro distro;

		if (!distro_decode(first, &distro, err))
			return false;
		vec_push(arena, &distros, distro);
	}
	out->distros = distros.v;
	out->n_distros = distros.n;
	return true;
}

static bool targets_decode(const struct node *tree, struct arena *arena, struct bp_descriptor *out,
			   struct err *err)
{
	const struct node *first;

	if (!value_tables(tree, "targets", &first, err))
		return false;
	for (; first; first = first->next) {
		struct bp_target target;

		if (!target_decode_table(first, arena, &target, err))
			return false;
		vec_push(arena, &out->targets, target);
	}
	return true;
}

/* Buildpacks older than targets: the stacks they name say where they run. */
static bool targets_from_stacks(const struct node *tree, struct arena *arena,
				struct bp_descriptor *out, struct err *err)
{
	static struct bp_distro bionic[] = { { "ubuntu", "18.04" } };
	const struct node *first;

	if (!value_tables(tree, "stacks", &first, err))
		return false;
	for (const struct node *stack = first; stack; stack = stack->next) {
		const char *id;

		if (!value_text(stack, "id", &id, err))
			return false;
		if (!id)
			continue;
		if (strcmp(id, "*") == 0)
			vec_push(arena, &out->targets, (struct bp_target){ 0 });
		else if (strcmp(id, "io.buildpacks.stacks.bionic") == 0 &&
			 (api_at_least(out->api, 10) || !first->next))
			vec_push(arena, &out->targets,
				 (struct bp_target){ "linux", "amd64", NULL, bionic, 1 });
	}
	return true;
}

/* exec-env = ["test"], or the spec's [[buildpack.exec-env]] with a name. */
static bool exec_envs_decode(const struct node *info, struct arena *arena, struct strings *out,
			     struct err *err)
{
	const struct node *list = value_get(info, "exec-env");

	if (!list || list->kind != NODE_SEQ || !list->first || list->first->kind != NODE_MAP)
		return value_texts(info, "exec-env", arena, out, err);
	for (const struct node *entry = list->first; entry; entry = entry->next) {
		const char *name;

		if (entry->kind != NODE_MAP)
			return value_fail(entry, "exec-env", "an array of tables", err);
		if (!value_text(entry, "name", &name, err))
			return false;
		if (name)
			vec_push(arena, out, name);
	}
	return true;
}

bool descriptor_decode(const struct node *tree, bool has_build, struct arena *arena,
		       struct bp_descriptor *out, struct err *err)
{
	const struct node *info;

	*out = (struct bp_descriptor){ 0 };
	if (!value_table(tree, value_get(tree, "extension") ? "extension" : "buildpack", &info,
			 err) ||
	    !element_decode(info, &out->element, err) ||
	    !value_text(tree, "api", &out->element.api, err) ||
	    !value_bool(info, "clear-env", &out->is_clear_env, err) ||
	    !value_texts(info, "sbom-formats", arena, &out->sbom_formats, err) ||
	    !exec_envs_decode(info, arena, &out->exec_envs, err) ||
	    !order_decode(tree, arena, &out->order, err) || !targets_decode(tree, arena, out, err))
		return false;
	out->is_api_known = api_parse(out->element.api, &out->api) && api_is_buildpack(out->api);
	if (out->targets.n == 0 && !targets_from_stacks(tree, arena, out, err))
		return false;
	if (out->targets.n == 0 && has_build)
		vec_push(arena, &out->targets, (struct bp_target){ .os = "linux" });
	return true;
}

bool target_decode(const struct node *analyzed, struct arena *arena, struct bp_target *out,
		   struct err *err)
{
	const struct node *image, *target, *distro;
	struct bp_distro *copy;

	*out = (struct bp_target){ 0 };
	if (!value_table(analyzed, "run-image", &image, err) ||
	    !value_table(image, "target", &target, err) ||
	    !value_table(target, "distro", &distro, err) ||
	    !target_decode_table(target, arena, out, err))
		return false;
	if (!distro)
		return true;
	copy = ARENA_NEW(arena, struct bp_distro);
	out->distros = copy;
	out->n_distros = 1;
	return distro_decode(distro, copy, err);
}

static bool is_empty(const char *text)
{
	return !text || !*text;
}

/* The value of a line "KEY=value" or "KEY="value"" of os-release. */
static const char *os_release_value(const char *text, const char *key, struct arena *arena)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value, *end;

		line += *line == '\n';
		if (strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		value = line + n + 1;
		end = value + strcspn(value, "\n");
		if (memchr(value, '=', (size_t)(end - value)))
			continue;
		while (value < end && strchr("\" ", *value))
			value++;
		while (value < end && strchr("\" ", end[-1]))
			end--;
		return arena_copy(arena, value, (size_t)(end - value));
	}
	return "";
}

void target_complete(struct bp_target *target, const char *os_release, const char *arch,
		     struct arena *arena)
{
	struct bp_distro *distro;

	if (target->n_distros)
		return;
	if (is_empty(target->os))
		target->os = "linux";
	if (is_empty(target->arch))
		target->arch = arch;
	if (!os_release)
		return;
	distro = ARENA_NEW(arena, struct bp_distro);
	distro->name = os_release_value(os_release, "ID", arena);
	distro->version = os_release_value(os_release, "VERSION_ID", arena);
	if (*distro->name || *distro->version) {
		target->distros = distro;
		target->n_distros = 1;
	}
}

static bool agrees(const char *a, const char *b)
{
	return is_empty(a) || is_empty(b) || strcmp(a, b) == 0;
}

static bool distro_fits(const struct bp_target *base, const struct bp_target *wanted)
{
	if (wanted->n_distros == 0)
		return true;
	if (base->n_distros == 0)
		return false;
	for (size_t i = 0; i < wanted->n_distros; i++)
		if (agrees(base->distros[0].name, wanted->distros[i].name) &&
		    agrees(base->distros[0].version, wanted->distros[i].version))
			return true;
	return false;
}

bool target_fits(const struct bp_target *base, const struct bp_targets *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct bp_target *target = &wanted->v[i];

		if (agrees(base->os, target->os) && agrees(base->arch, target->arch) &&
		    agrees(base->variant, target->variant) && distro_fits(base, target))
			return true;
	}
	return wanted->n == 0;
}

bool exec_env_fits(const struct strings *exec_envs, const char *exec_env)
{
	return exec_envs->n == 0 || strings_has(exec_envs, "*") || strings_has(exec_envs, exec_env);
}

static bool is_dots(const char *text)
{
	return !*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
}

bool bp_is_safe(const struct bp_element *element)
{
	return !is_dots(element->id) && !is_dots(element->version) &&
	       !strchr(element->version, '/');
}

char *bp_folder(const char *id, struct arena *arena)
{
	char *folder = arena_strdup(arena, id);

	for (char *c = folder; *c; c++)
		if (*c == '/')
			*c = '_';
	return folder;
}
