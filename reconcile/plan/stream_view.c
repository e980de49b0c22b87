/* SPDX-License-Identifier: Apache-2.0 */
/* stream_view.c — what a plan tells others about streams: due times, who pushes to them, what their consumers get. */
#include <string.h>

#include "model/base/time.h"
#include "model/doc/json.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/stream_generation.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t last_check(const struct tag_at *at, const struct map *checks, struct arena *arena)
{
	const struct stream_status *status = at->status;
	const struct tag_history *history = status ? stream_history(status, at->tag) : NULL;
	const struct tag_event *top = history_top(history);
	const struct tag_condition *condition = history_condition(history);
	const int64_t *remembered = NULL;
	int64_t last_s = 0, checked_s = 0;

	if (checks && checks->n > 0)
		remembered = map_get(checks, arena_printf(arena, "%s/%s:%s", at->stream->meta.ns,
							  at->stream->meta.name, at->tag));
	if (top)
		last_s = later(last_s, top->created_s);
	if (condition)
		last_s = later(last_s, condition->changed_s);
	if (history && status->checked && time_parse(status->checked, &checked_s))
		last_s = later(last_s, checked_s);
	return remembered ? later(last_s, *remembered) : last_s;
}

int64_t stream_due_of(const struct tag_at *at, const struct tag_ref *ref,
		      const struct settings_streams *settings, const struct map *checks,
		      struct arena *arena)
{
	const char *own = pairs_get(&ref->annotations, ANNOTATION_IMPORT_INTERVAL);
	const struct tag_event *top = at->status ? stream_current(at->status, at->tag) : NULL;
	int64_t interval_s = settings->interval_s, last_s;

	if (!ref->is_scheduled || !tag_is_import(ref))
		return 0;
	if (top && top->image[0] && ref->from->name && strchr(ref->from->name, '@'))
		return 0;
	if (own && !duration_parse(own, &interval_s))
		interval_s = settings->interval_s;
	last_s = last_check(at, checks, arena);
	return last_s > 0 ? last_s + interval_s : 1;
}

int64_t stream_due_s(const struct tag_at *at, const struct settings_streams *settings,
		     const struct map *checks, struct arena *arena)
{
	const struct stream_spec *spec = at->stream->spec;
	const struct tag_ref *ref = stream_tag(spec, at->tag);

	for (size_t i = 0; i < spec->tag_documents.n; i++) {
		const struct stream_tag_spec *document = spec->tag_documents.v[i]->spec;

		if (document->tag && text_equal(document->tag_name, at->tag))
			ref = document->tag;
	}
	if (!ref && at->status)
		ref = stream_tag(&at->status->spec, at->tag);
	return ref ? stream_due_of(at, ref, settings, checks, arena) : 0;
}

/* ---- who pushes where ---- */

bool stream_reference_parse(const struct model *model, const char *reference, struct arena *arena,
			    const char *out[3])
{
	const char *registry = model->settings->streams.registry;
	size_t n = registry ? strlen(registry) : 0;
	const char *rest, *slash, *colon;

	if (!registry || strncmp(reference, registry, n) != 0 || reference[n] != '/' ||
	    strchr(reference, '@'))
		return false;
	rest = reference + n + 1;
	slash = strchr(rest, '/');
	if (!slash || slash == rest || strchr(slash + 1, '/'))
		return false;
	colon = strchr(slash, ':');
	out[0] = arena_copy(arena, rest, (size_t)(slash - rest));
	out[1] = arena_copy(arena, slash + 1,
			    colon ? (size_t)(colon - slash - 1) : strlen(slash + 1));
	out[2] = colon ? arena_strdup(arena, colon + 1) : "latest";
	return true;
}

static void pusher_add(struct stream_world *world, const struct object *image,
		       const char *reference)
{
	const char *parts[3], *id;
	struct pushers *pushers;

	if (!stream_reference_parse(world->model, reference, world->arena, parts))
		return;
	id = object_id(KIND_IMAGE_STREAM, parts[0], parts[1], world->arena);
	pushers = map_get(&world->pushers, id);
	if (!pushers) {
		pushers = ARENA_NEW(world->arena, struct pushers);
		map_set(world->arena, &world->pushers, id, pushers);
	}
	vec_push(world->arena, &pushers->list, (struct pusher){ image, reference, parts[2] });
}

static void pusher_add_config(struct stream_world *world, const struct object *object)
{
	const struct build_config_spec *spec = object->spec;
	const char *why, *reference;

	reference = config_output(world->model, object, &spec->common, &why, world->arena);
	if (reference)
		pusher_add(world, object, reference);
}

void pushers_index(struct stream_world *world)
{
	for (size_t i = 0; world->model->settings->streams.registry && i < world->model->objects.n;
	     i++) {
		const struct object *object = world->model->objects.v[i];
		const struct image_spec *spec = object->spec;

		if (kind_has_builds(object->kind) && !build_is_export(object))
			pusher_add_config(world, object);
		if (object->kind != KIND_IMAGE)
			continue;
		pusher_add(world, object, spec->tag);
		for (size_t k = 0; k < spec->additional_tags.n; k++)
			pusher_add(world, object, spec->additional_tags.v[k]);
	}
}

bool pushes_beside(const struct planner *p, const struct object *object, const char *stream,
		   const char *tag)
{
	const struct pushers *pushers = map_get(&p->streams->pushers, stream);
	bool is_pusher = false;

	for (size_t i = 0; pushers && i < pushers->list.n; i++) {
		if (pushers->list.v[i].image != object)
			continue;
		if (text_equal(pushers->list.v[i].tag, tag))
			return false;
		is_pusher = true;
	}
	return is_pusher;
}

/* ---- consumers ---- */

const struct stream_status *stream_before_pushes(const struct planner *p, const char *id)
{
	struct planner copy = *p;
	const struct object *object = map_get(&p->model->by_id, id);
	struct step step = { .kind = KIND_IMAGE_STREAM, .id = id, .object = object };

	if (!object)
		return NULL;
	if (p->options.is_selected && !p->options.is_selected(object, p->options.select_ctx))
		return recorded_status(p, object);
	step.ns = object->meta.ns;
	step.name = object->meta.name;
	rule_stream(&copy, &step);
	return step.status;
}

struct tag_view stream_view(const struct plan *plan, const char *ns, const char *stream,
			    const char *tag, struct arena *arena)
{
	const char *id = object_id(KIND_IMAGE_STREAM, ns, stream, arena);
	struct tag_view view = { .step = map_get(&plan->by_id, id) };
	const struct stream_status *status = view.step ? view.step->status : NULL;
	const struct tag_event *top;

	if (!view.step || view.step->action == ACTION_DELETE)
		return (struct tag_view){ 0 };
	tag = tag && tag[0] ? tag : "latest";
	view.is_pending = !view.step->is_folded && !view.step->blocked &&
			  view.step->action != ACTION_NONE &&
			  strings_has(&view.step->unknown, arena_printf(arena, "tag:%s", tag));
	if (!status)
		return view;
	top = stream_current(status, tag);
	view.pull_spec = stream_pull_spec(status, tag, arena);
	view.image = top ? top->image : NULL;
	return view;
}

struct tag_view watched_view(const struct planner *p, const struct object *object,
			     const struct image_watch *watch)
{
	const char *id = object_id(KIND_IMAGE_STREAM, watch->ns, watch->stream, p->arena);
	const struct stream_status *status;

	if (!pushes_beside(p, object, id, watch->tag))
		return stream_view(p->plan, watch->ns, watch->stream, watch->tag, p->arena);
	status = stream_before_pushes(p, id);
	return (struct tag_view){
		.pull_spec = status ? stream_pull_spec(status, watch->tag, p->arena) : NULL
	};
}

struct watch_row {
	struct object_ref from;
	const char *field_path;
	bool is_paused;
};
static const struct field watch_fields[] = {
	{ "from", FIELD_STRUCT, AT(struct watch_row, from), .table = &object_ref_table },
	{ "fieldPath", FIELD_STRING, AT(struct watch_row, field_path) },
	{ "paused", FIELD_BOOL, AT(struct watch_row, is_paused) },
	{ 0 },
};
static const struct table watch_table = { "trigger", sizeof(struct watch_row), watch_fields };

/* Another kind, or one of a foreign group, is somebody else's. */
static bool is_stream_tag(const struct object_ref *from)
{
	const char *group = from->api_version;

	return text_equal(from->kind, "ImageStreamTag") &&
	       (!group || !group[0] || strcmp(group, "v1") == 0 ||
		strncmp(group, "image.openshift.io/", 19) == 0);
}

bool watches_parse(const char *json, const char *default_ns, struct arena *arena, struct list *out,
		   struct err *err)
{
	VEC(struct image_watch) watches = { 0 };
	struct node *tree = NULL;

	*out = (struct list){ 0 };
	if (!json_parse(json, strlen(json), arena, &tree, err))
		return err_prefix(err, "annotation %s", ANNOTATION_TRIGGERS);
	if (tree->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID,
			       "annotation %s: must be a JSON array of triggers, is %s",
			       ANNOTATION_TRIGGERS, node_kind_name(tree->kind));
	for (const struct node *at = tree->first; at; at = at->next) {
		struct watch_row row = { 0 };
		struct image_watch watch = { 0 };

		if (!fields_read(&watch_table, at, &row, arena, err))
			return err_prefix(err, "annotation %s", ANNOTATION_TRIGGERS);
		if (!is_stream_tag(&row.from))
			continue;
		if (!stream_tag_name_parse(row.from.name ? row.from.name : "", arena, &watch.stream,
					   &watch.tag, err))
			return err_prefix(err, "annotation %s", ANNOTATION_TRIGGERS);
		watch.ns = row.from.ns && row.from.ns[0] ? row.from.ns : default_ns;
		watch.field_path = row.field_path;
		watch.is_paused = row.is_paused;
		vec_push(arena, &watches, watch);
	}
	*out = (struct list){ watches.v, watches.n };
	return true;
}
