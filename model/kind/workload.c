/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload.c — reads a workload's document leniently: what is not where it should be is not there. Only the triggers are
 * checked, because somebody meant them for us.
 */
#include "model/kind/workload.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/doc/json.h"
#include "model/kind/check.h"
#include "model/kind/status_tables.h"
#include "model/kind/stream.h"

enum { TEMPLATE_BYTES = 4 << 20, PATH_PARTS = 8 };

struct reading {
	struct object *object;
	struct workload *workload;
	struct arena *arena;
	struct diags *diags;
	struct pos annotation_pos; /* of the triggers */
};

const char *workload_pod_path(enum kind kind)
{
	if (kind == KIND_POD)
		return "spec";
	if (kind == KIND_POD_TEMPLATE)
		return "template.spec";
	if (kind == KIND_CRON_JOB)
		return "spec.jobTemplate.spec.template.spec";
	return "spec.template.spec";
}

/* By a path of keys between dots. */
static const struct node *at_path(const struct node *root, const char *path, struct arena *arena)
{
	char *rest = arena_strdup(arena, path);

	while (root && rest) {
		char *dot = strchr(rest, '.');

		if (dot)
			*dot = '\0';
		root = node_get(root, rest);
		rest = dot ? dot + 1 : NULL;
	}
	return root;
}

static struct pairs read_pairs(const struct node *map, struct arena *arena)
{
	struct pairs pairs = { 0 };

	if (!map || map->kind != NODE_MAP)
		return pairs;
	for (const struct node *entry = map->first; entry; entry = entry->next)
		if (entry->kind == NODE_STRING)
			vec_push(arena, &pairs,
				 (struct pair){ entry->key, entry->text, entry->pos });
	return pairs;
}

static void read_meta(struct reading *r)
{
	const struct node *metadata = node_get(r->object->tree, "metadata");
	const struct node *name = node_get(metadata, "name");
	struct meta *meta = &r->object->meta;
	const char *ns = node_text(metadata, "namespace");

	if (!name || name->kind != NODE_STRING)
		name = node_get(metadata, "generateName");
	meta->name = name && name->kind == NODE_STRING ? name->text : "";
	meta->name_pos = name ? name->pos : r->object->pos;
	meta->ns = ns && *ns ? ns : "default";
	meta->labels = read_pairs(node_get(metadata, "labels"), r->arena);
	meta->annotations = read_pairs(node_get(metadata, "annotations"), r->arena);
}

static size_t add_containers(const struct node *list, const char *base, bool is_init,
			     struct arena *arena, struct workload_container *out)
{
	size_t n = 0;

	if (!list || list->kind != NODE_SEQ)
		return 0;
	for (const struct node *item = list->first; item; item = item->next, n++) {
		const struct node *image = node_get(item, "image");
		bool has_image = image && image->kind == NODE_STRING;

		out[n] = (struct workload_container){
			.name = node_text(item, "name") ? node_text(item, "name") : "",
			.image = has_image ? image->text : NULL,
			.path = arena_printf(arena, "%s.%s[%zu].image", base,
					     is_init ? "initContainers" : "containers", n),
			.pos = has_image ? image->pos : (struct pos){ 0 },
			.is_init = is_init,
		};
	}
	return n;
}

static void read_containers(struct reading *r)
{
	const char *base = workload_pod_path(r->object->kind);
	const struct node *pod = at_path(r->object->tree, base, r->arena);
	const struct node *init = node_get(pod, "initContainers"),
			  *usual = node_get(pod, "containers");
	size_t n_init = init && init->kind == NODE_SEQ ? init->n : 0;
	size_t n = n_init + (usual && usual->kind == NODE_SEQ ? usual->n : 0);
	struct workload_container *all = arena_array(r->arena, n, sizeof(*all));

	add_containers(init, base, true, r->arena, all);
	add_containers(usual, base, false, r->arena, all + n_init);
	r->workload->containers = (struct list){ all, n };
}

/* ---- field paths ---- */

static bool starts_with(const char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool find_by_name(const struct list *containers, const char *name, size_t n, size_t *out)
{
	for (size_t i = 0; i < containers->n; i++) {
		const char *other = LIST_AT(*containers, struct workload_container, i)->name;

		if (strlen(other) == n && strncmp(other, name, n) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool find_by_index(const struct list *containers, bool is_init, const char *digits, size_t n,
			  size_t *out)
{
	size_t index = 0, at = 0;

	if (n > 6)
		return false;
	for (size_t i = 0; i < n; i++)
		index = index * 10 + (size_t)(digits[i] - '0');
	for (size_t i = 0; i < containers->n; i++)
		if (LIST_AT(*containers, struct workload_container, i)->is_init == is_init &&
		    at++ == index) {
			*out = i;
			return true;
		}
	return false;
}

bool field_path_find(const char *field_path, enum kind kind, const struct list *containers,
		     size_t *out, bool *is_ours, struct err *err)
{
	const char *at = field_path, *selector;
	bool is_init, is_found = false, is_name = false;
	size_t n;

	*is_ours = starts_with(&at, workload_pod_path(kind)) && starts_with(&at, ".");
	if (!*is_ours)
		return true;
	is_init = starts_with(&at, "initContainers[");
	if (!is_init && !starts_with(&at, "containers["))
		return err_set(err, ERR_INVALID, "field path is not valid: %s", field_path);
	selector = at;
	n = strspn(at, "0123456789");
	if (!n && starts_with(&at, "?(@.name==\"")) {
		is_name = true;
		selector = at;
		n = strcspn(at, "\"");
	}
	at += n;
	if ((is_name && !starts_with(&at, "\")")) || !n || strcmp(at, "].image") != 0)
		return err_set(err, ERR_INVALID, "field path is not valid: %s", field_path);
	is_found = is_name ? find_by_name(containers, selector, n, out)
			   : find_by_index(containers, is_init, selector, n, out);
	return is_found || err_set(err, ERR_INVALID, "no such container: %s", field_path);
}

/* ---- the annotation ---- */

static void say(const struct reading *r, enum severity severity, struct pos pos, const char *text)
{
	diag_add(r->diags, severity, "trigger", r->object->file, pos, 1, "%s", text);
}

static void say_trigger(const struct reading *r, enum severity severity, size_t i, const char *text)
{
	say(r, severity, r->annotation_pos,
	    arena_printf(r->arena, "annotation '%s' of %s: item %zu: %s", TRIGGERS_ANNOTATION,
			 r->object->id, i + 1, text));
}

static bool is_stream_version(const char *api_version)
{
	return !api_version || !*api_version || strcmp(api_version, "v1") == 0 ||
	       strcmp(api_version, "image.openshift.io/v1") == 0;
}

/* NULL when it is a tag of a stream, else why not. */
static const char *read_from(const struct reading *r, const struct node *from,
			     struct workload_trigger *out)
{
	const char *kind = node_text(from, "kind"), *name = node_text(from, "name");
	const char *ns = node_text(from, "namespace");
	struct err err = { 0 };

	if (!kind || strcmp(kind, "ImageStreamTag") != 0)
		return arena_printf(r->arena,
				    "it is passed over: from.kind is '%s', not 'ImageStreamTag'",
				    kind ? kind : "");
	if (!is_stream_version(node_text(from, "apiVersion")))
		return arena_printf(r->arena,
				    "it is passed over: from.apiVersion is '%s', not "
				    "'image.openshift.io/v1'",
				    node_text(from, "apiVersion"));
	if (!stream_tag_name_parse(name ? name : "", r->arena, &out->stream, &out->tag, &err))
		return arena_printf(r->arena, "it is passed over: from.name: %s", err.text);
	out->ns = ns && *ns ? ns : r->object->meta.ns;
	return NULL;
}

static bool has_trigger(const struct workload *workload, size_t container)
{
	for (size_t i = 0; i < workload->triggers.n; i++) {
		const struct workload_trigger *trigger =
			LIST_AT(workload->triggers, struct workload_trigger, i);

		for (size_t k = 0; k < trigger->n_containers; k++)
			if (trigger->containers[k] == container)
				return true;
	}
	return false;
}

static bool is_repeated(const struct node *all, const struct node *item, const char *path)
{
	for (const struct node *before = all->first; before != item; before = before->next) {
		const char *other = node_text(before, "fieldPath");

		if (other && strcmp(other, path) == 0)
			return true;
	}
	return false;
}

static void add_trigger(struct reading *r, const struct workload_trigger *trigger)
{
	struct list *list = &r->workload->triggers;

	LIST_AT(*list, struct workload_trigger, list->n)[0] = *trigger;
	list->n++;
}

static void read_annotated(struct reading *r, const struct node *all, const struct node *item,
			   size_t i)
{
	const struct node *paused = node_get(item, "paused");
	const char *path = node_text(item, "fieldPath"), *why;
	struct workload_trigger trigger = { .is_automatic = true, .pos = r->annotation_pos };
	struct err err = { 0 };
	size_t container = 0;
	bool is_ours;

	if (item->kind != NODE_MAP || !path || (paused && paused->kind != NODE_BOOL)) {
		say_trigger(r, SEVERITY_ERROR, i,
			    item->kind != NODE_MAP ? "it is no object"
			    : !path                ? "it has no text 'fieldPath'"
						   : "'paused' must be true or false");
		return;
	}
	if (is_repeated(all, item, path)) {
		say_trigger(r, SEVERITY_ERROR, i, "duplicate triggers are not allowed");
		return;
	}
	why = read_from(r, node_get(item, "from"), &trigger);
	if (!why && !field_path_find(path, r->object->kind, &r->workload->containers, &container,
				     &is_ours, &err)) {
		say_trigger(r, SEVERITY_ERROR, i, err.text);
		return;
	}
	if (!why && !is_ours)
		why = arena_printf(r->arena,
				   "it is passed over: the field path '%s' of a %s must begin with "
				   "'%s.'",
				   path, kind_name(r->object->kind),
				   workload_pod_path(r->object->kind));
	if (!why && has_trigger(r->workload, container))
		why = "it is passed over: another trigger has this container";
	if (why) {
		say_trigger(r, SEVERITY_WARNING, i, why);
		return;
	}
	trigger.is_paused = paused && paused->i;
	if (!LIST_AT(r->workload->containers, struct workload_container, container)->pos.line)
		say_trigger(
			r, SEVERITY_WARNING, i,
			"the container has no 'image' that could be set: write one, if only ''");
	trigger.containers = ARENA_NEW(r->arena, size_t);
	trigger.containers[0] = container;
	trigger.n_containers = 1;
	add_trigger(r, &trigger);
}

static void read_annotation(struct reading *r)
{
	const struct pairs *annotations = &r->object->meta.annotations;
	const char *text = pairs_get(annotations, TRIGGERS_ANNOTATION);
	struct node *all = NULL;
	struct err err = { 0 };
	size_t i = 0;

	for (size_t k = 0; k < annotations->n; k++)
		if (strcmp(annotations->v[k].key, TRIGGERS_ANNOTATION) == 0)
			r->annotation_pos = annotations->v[k].pos;
	if (!text || !*text)
		return;
	if (!json_parse(text, strlen(text), r->arena, &all, &err) || all->kind != NODE_SEQ) {
		say(r, SEVERITY_ERROR, r->annotation_pos,
		    arena_printf(r->arena, "annotation '%s' of %s is no JSON list: %s",
				 TRIGGERS_ANNOTATION, r->object->id,
				 err.kind ? err.text : node_kind_name(all->kind)));
		return;
	}
	r->workload->triggers.v = arena_array(r->arena, all->n, sizeof(struct workload_trigger));
	for (const struct node *item = all->first; item; item = item->next)
		read_annotated(r, all, item, i++);
}

static bool resolves(const struct node *metadata)
{
	const char *value = node_text(node_get(metadata, "annotations"), RESOLVE_NAMES_ANNOTATION);

	return value && strcmp(value, "*") == 0;
}

/* ---- DeploymentConfig ---- */

static void take_names(struct reading *r, const struct node *names, struct pos pos,
		       struct workload_trigger *out)
{
	size_t at = 0;

	out->containers = arena_array(r->arena, names && names->kind == NODE_SEQ ? names->n : 0,
				      sizeof(size_t));
	if (!names || names->kind != NODE_SEQ)
		return;
	for (const struct node *name = names->first; name; name = name->next) {
		if (name->kind == NODE_STRING &&
		    find_by_name(&r->workload->containers, name->text, name->len, &at))
			out->containers[out->n_containers++] = at;
		else
			say(r, SEVERITY_WARNING, name->pos.line ? name->pos : pos,
			    arena_printf(r->arena, "%s has no container '%s' for its image trigger",
					 r->object->id,
					 name->kind == NODE_STRING ? name->text : ""));
	}
}

static void read_image_change(struct reading *r, const struct node *item)
{
	const struct node *params = node_get(item, "imageChangeParams");
	const struct node *automatic = node_get(params, "automatic");
	struct workload_trigger trigger = { .pos = item->pos };
	const char *why = params ? read_from(r, node_get(params, "from"), &trigger)
				 : "it is passed over: it has no imageChangeParams";

	if (why) {
		say(r, SEVERITY_WARNING, item->pos,
		    arena_printf(r->arena, "image trigger of %s: %s", r->object->id, why));
		return;
	}
	trigger.is_automatic = automatic && automatic->kind == NODE_BOOL && automatic->i;
	trigger.last_image = node_text(params, "lastTriggeredImage");
	if (trigger.last_image && !*trigger.last_image)
		trigger.last_image = NULL;
	take_names(r, node_get(params, "containerNames"), item->pos, &trigger);
	add_trigger(r, &trigger);
}

static void drop_image(struct node *container)
{
	struct node **link = &container->first;

	while (*link && strcmp((*link)->key, "image") != 0)
		link = &(*link)->next;
	if (*link) {
		*link = (*link)->next;
		container->n--;
	}
}

/* What a rollout is made of, but for the images that triggers set: those have causes of their own. */
static const char *digest_template(struct reading *r)
{
	const struct node *written = at_path(r->object->tree, "spec.template", r->arena);
	AUTO_BUF text = BUF_INIT(TEMPLATE_BYTES);
	struct node *copy;
	size_t i = 0;

	if (!written || written->kind != NODE_MAP)
		return NULL;
	copy = node_share(r->arena, written);
	for (size_t part = 0; part < 2; part++) {
		const struct node *list =
			node_at(copy, "spec", part ? "containers" : "initContainers", NULL);

		if (!list || list->kind != NODE_SEQ)
			continue;
		for (struct node *item = list->first; item; item = item->next, i++)
			if (item->kind == NODE_MAP && has_trigger(r->workload, i))
				drop_image(item);
	}
	node_sort_keys(copy);
	json_print(copy, JSON_COMPACT, &text);
	return arena_strdup(r->arena, digest_of(buf_text(&text), text.len).text);
}

static void read_deployment_config(struct reading *r)
{
	const struct node *spec = node_get(r->object->tree, "spec");
	const struct node *triggers = node_get(spec, "triggers"),
			  *paused = node_get(spec, "paused");
	const bool is_given = triggers && triggers->kind == NODE_SEQ;

	r->workload->has_config_trigger = !is_given;
	r->workload->is_paused = paused && paused->kind == NODE_BOOL && paused->i;
	r->workload->triggers = (struct list){ arena_array(r->arena, is_given ? triggers->n : 0,
							   sizeof(struct workload_trigger)),
					       0 };
	for (const struct node *item = is_given ? triggers->first : NULL; item; item = item->next) {
		const char *type = node_text(item, "type");

		if (type && strcmp(type, "ConfigChange") == 0)
			r->workload->has_config_trigger = true;
		else if (type && strcmp(type, "ImageChange") == 0)
			read_image_change(r, item);
	}
	r->workload->template_digest = digest_template(r);
}

void workload_decode(struct object *object, struct arena *arena, struct diags *diags)
{
	struct workload *workload = ARENA_NEW(arena, struct workload);
	struct reading r = { object, workload, arena, diags, object->pos };
	const struct node *pod;
	char *template_path, *dot;

	object->spec = workload;
	read_meta(&r);
	object->id = object_id(object->kind, object->meta.ns, object->meta.name, arena);
	read_containers(&r);
	template_path = arena_strdup(arena, workload_pod_path(object->kind));
	dot = strrchr(template_path, '.');
	if (dot)
		*dot = '\0';
	pod = dot ? at_path(object->tree, template_path, arena) : object->tree;
	workload->resolves_names =
		resolves(node_get(object->tree, "metadata")) || resolves(node_get(pod, "metadata"));
	if (object->kind == KIND_DEPLOYMENT_CONFIG)
		read_deployment_config(&r);
	else
		read_annotation(&r);
}

bool workload_is_ours(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct workload *workload = object->spec;
	struct diags found;

	diags_init(&found, arena);
	check_names(&(struct checker){ object, arena, &found });
	if (!found.n_errors && *object->meta.name)
		return true;
	if (workload->triggers.n)
		diags_append(diags, &found);
	return false;
}

bool short_name_split(const char *image, struct arena *arena, const char **stream, const char **tag)
{
	const char *colon = strchr(image, ':');
	size_t n = colon ? (size_t)(colon - image) : strlen(image);

	if (!n || strpbrk(image, "/@") || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return false;
	*stream = arena_copy(arena, image, n);
	*tag = colon ? colon + 1 : "latest";
	return true;
}

/* ---- what is recorded ---- */

static const struct field from_fields[] = {
	{ "kind", FIELD_IGNORED },
	{ "namespace", FIELD_STRING, AT(struct trigger_status, ns) },
	{ "name", FIELD_STRING, AT(struct trigger_status, from), .is_required = true },
	{ 0 },
};
static const struct table from_table = { "from", sizeof(struct trigger_status), from_fields };
static const struct field trigger_fields[] = {
	{ "from", FIELD_STRUCT, 0, &from_table, .is_required = true },
	{ "containerNames", FIELD_STRINGS, AT(struct trigger_status, names) },
	{ "lastTriggeredImage", FIELD_STRING, AT(struct trigger_status, last_image) },
	{ "replacedImages", FIELD_STRINGS, AT(struct trigger_status, replaced) },
	{ 0 },
};
static const struct table trigger_status_table = { "image trigger", sizeof(struct trigger_status),
						   trigger_fields };

static const struct field cause_from_fields[] = {
	{ "namespace", FIELD_STRING, AT(struct rollout_cause, ns) },
	{ "name", FIELD_STRING, AT(struct rollout_cause, from) },
	{ 0 },
};
static const struct table cause_from_table = { "from", sizeof(struct rollout_cause),
					       cause_from_fields };
static const struct field image_trigger_fields[] = {
	{ "from", FIELD_STRUCT, 0, &cause_from_table },
	{ 0 },
};
static const struct table image_trigger_table = { "imageTrigger", sizeof(struct rollout_cause),
						  image_trigger_fields };
static const struct field cause_fields[] = {
	{ "type", FIELD_STRING, AT(struct rollout_cause, type), .is_required = true },
	{ "imageTrigger", FIELD_STRUCT, 0, &image_trigger_table },
	{ 0 },
};
static const struct table cause_table = { "cause", sizeof(struct rollout_cause), cause_fields };
static const struct field details_fields[] = {
	{ "message", FIELD_STRING, AT(struct workload_status, message) },
	{ "causes", FIELD_STRUCTS, AT(struct workload_status, causes), &cause_table },
	{ 0 },
};
static const struct table details_table = { "details", sizeof(struct workload_status),
					    details_fields };
static const struct field follow_fields[] = {
	{ "fieldPath", FIELD_STRING, AT(struct followed_name, path), .is_required = true },
	{ "name", FIELD_STRING, AT(struct followed_name, name), .is_required = true },
	{ "image", FIELD_STRING, AT(struct followed_name, image), .is_required = true },
	{ 0 },
};
static const struct table follow_table = { "followed name", sizeof(struct followed_name),
					   follow_fields };
static const struct field status_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct workload_status, conditions), &condition_table },
	{ "latestVersion", FIELD_INT, AT(struct workload_status, latest_version), .min = 0,
	  .max = INT64_MAX },
	{ "details", FIELD_STRUCT, 0, &details_table },
	{ "imageTriggers", FIELD_STRUCTS, AT(struct workload_status, triggers),
	  &trigger_status_table },
	{ "templateDigest", FIELD_STRING, AT(struct workload_status, template_digest) },
	{ "followedNames", FIELD_STRUCTS, AT(struct workload_status, follows), &follow_table },
	{ 0 },
};
const struct table workload_status_table = { "workload status", sizeof(struct workload_status),
					     status_fields };
