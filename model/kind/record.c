/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * record.c — build records ⇄ kpack's Build (design §9, kpack.md §1.5–1.6, §2.5). The tables
 * place the fields of one struct under metadata, spec and status; what Kubernetes wants as text
 * (the number, the changes as JSON) is turned here.
 */
#include <stdlib.h>
#include <string.h>

#include "model/doc/json.h"
#include "model/kind/status_tables.h"

/* A record and the texts that stand for parts of it. */
struct record_file {
	struct build_record r;
	const char *changes, *number;
	struct strings completed;
};

enum { CHANGES_BYTES = 256 << 10, CHANGES_MAX = 64 };

static const char *const phases[] = { "Building", "Succeeded", "Failed", "Interrupted", NULL };

static const struct field annotation_fields[] = {
	{ "image.kpack.io/reason", FIELD_STRING, AT(struct record_file, r.reason) },
	{ "image.kpack.io/buildChanges", FIELD_STRING, AT(struct record_file, changes) },
	{ "image.kpack.io/builderName", FIELD_STRING, AT(struct record_file, r.builder_name) },
	{ "image.kpack.io/builderKind", FIELD_STRING, AT(struct record_file, r.builder_kind) },
	{ "reconcile.dev/trigger", FIELD_STRING, AT(struct record_file, r.inputs.trigger) },
	{ 0 },
};
static const struct table annotation_table = { "annotations", sizeof(struct record_file),
					       annotation_fields };
static const struct field label_fields[] = {
	{ "image.kpack.io/image", FIELD_STRING, AT(struct record_file, r.image_name),
	  .is_required = true },
	{ "image.kpack.io/buildNumber", FIELD_STRING, AT(struct record_file, number),
	  .is_required = true },
	{ 0 },
};
static const struct table label_table = { "labels", sizeof(struct record_file), label_fields };
static const struct field metadata_fields[] = {
	{ "name", FIELD_STRING, AT(struct record_file, r.name), .is_required = true },
	{ "namespace", FIELD_STRING, AT(struct record_file, r.ns) },
	{ "annotations", FIELD_STRUCT, 0, &annotation_table },
	{ "labels", FIELD_STRUCT, 0, &label_table, .is_required = true },
	{ 0 },
};
static const struct table record_metadata_table = { "metadata", sizeof(struct record_file),
						    metadata_fields };

static const struct field builder_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct record_file, r.inputs.builder_image) },
	{ 0 },
};
static const struct table builder_image_table = { "builder", sizeof(struct record_file),
						  builder_image_fields };
static const struct field run_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct record_file, r.inputs.run_image) },
	{ 0 },
};
static const struct table run_image_table = { "runImage", sizeof(struct record_file),
					      run_image_fields };
static const struct field last_build_fields[] = {
	{ "image", FIELD_STRING, AT(struct record_file, r.last_image) },
	{ "stackId", FIELD_STRING, AT(struct record_file, r.last_stack_id) },
	{ 0 },
};
static const struct table last_build_table = { "lastBuild", sizeof(struct record_file),
					       last_build_fields };
static const struct field spec_fields[] = {
	{ "tags", FIELD_STRINGS, AT(struct record_file, r.tags) },
	{ "builder", FIELD_STRUCT, 0, &builder_image_table },
	{ "runImage", FIELD_STRUCT, 0, &run_image_table },
	{ "source", FIELD_STRUCT, AT(struct record_file, r.inputs.source), &source_table },
	{ "services", FIELD_STRUCTS, AT(struct record_file, r.inputs.services), &object_ref_table },
	{ "cnbBindings", FIELD_STRUCTS, AT(struct record_file, r.inputs.bindings), &binding_table },
	{ "env", FIELD_STRUCTS, AT(struct record_file, r.inputs.env), &env_var_table },
	{ "resources", FIELD_STRUCT, AT(struct record_file, r.inputs.resources), &resources_table },
	{ "defaultProcess", FIELD_STRING, AT(struct record_file, r.inputs.default_process) },
	{ "projectDescriptorPath", FIELD_STRING,
	  AT(struct record_file, r.inputs.project_descriptor) },
	{ "creationTime", FIELD_STRING, AT(struct record_file, r.inputs.creation_time) },
	{ "lastBuild", FIELD_STRUCT, 0, &last_build_table },
	{ 0 },
};
static const struct table record_spec_table = { "spec", sizeof(struct record_file), spec_fields };

static const struct field run_fields[] = {
	{ "id", FIELD_STRING, AT(struct record_file, r.inputs.run_id) },
	{ "source", FIELD_STRING, AT(struct record_file, r.run_source) },
	{ "lease", FIELD_TIME, AT(struct record_file, r.inputs.lease_s) },
	{ 0 },
};
static const struct table run_table = { "run", sizeof(struct record_file), run_fields };
static const struct field stack_fields[] = {
	{ "id", FIELD_STRING, AT(struct record_file, r.inputs.stack_id) },
	{ "runImage", FIELD_STRING, AT(struct record_file, r.stack_run_image) },
	{ 0 },
};
static const struct table record_stack_table = { "stack", sizeof(struct record_file),
						 stack_fields };
static const struct field status_fields[] = {
	{ "phase", FIELD_ENUM, AT(struct record_file, r.inputs.result), .values = phases },
	{ "buildKey", FIELD_STRING, AT(struct record_file, r.inputs.build_key) },
	{ "run", FIELD_STRUCT, 0, &run_table },
	{ "conditions", FIELD_STRUCTS, AT(struct record_file, r.conditions), &condition_table },
	{ "latestImage", FIELD_STRING, AT(struct record_file, r.latest_image) },
	{ "buildMetadata", FIELD_STRUCTS, AT(struct record_file, r.inputs.buildpacks),
	  &buildpack_id_table },
	{ "stack", FIELD_STRUCT, 0, &record_stack_table },
	{ "lifecycleVersion", FIELD_STRING, AT(struct record_file, r.inputs.lifecycle_version) },
	{ "followed", FIELD_STRUCT, AT(struct record_file, r.inputs), &attempt_resolved_table },
	{ "stepStates", FIELD_STRUCTS, AT(struct record_file, r.steps), &step_state_table },
	{ "stepsCompleted", FIELD_STRINGS, AT(struct record_file, completed) },
	{ "failure", FIELD_STRUCT, AT(struct record_file, r.inputs), &attempt_failure_table },
	{ "rebase", FIELD_BOOL, AT(struct record_file, r.is_rebase) },
	{ "adopted", FIELD_BOOL, AT(struct record_file, r.is_adopted) },
	{ "log", FIELD_STRING, AT(struct record_file, r.log) },
	{ "tail", FIELD_STRINGS, AT(struct record_file, r.tail) },
	{ "startedAt", FIELD_TIME, AT(struct record_file, r.started_s) },
	{ "finishedAt", FIELD_TIME, AT(struct record_file, r.finished_s) },
	{ 0 },
};
static const struct table record_status_table = { "status", sizeof(struct record_file),
						  status_fields };

static const struct field record_fields[] = {
	{ "metadata", FIELD_STRUCT, 0, &record_metadata_table, .is_required = true },
	{ "spec", FIELD_STRUCT, 0, &record_spec_table, .is_required = true },
	{ "status", FIELD_STRUCT, 0, &record_status_table, .is_required = true },
	{ 0 },
};
static const struct table record_table = { "Build", sizeof(struct record_file), record_fields };

static const struct text_rule record_rules[] = {
	{ TEXT_PINNED, AT(struct build_record, latest_image), "status.latestImage" },
	{ TEXT_REF, AT(struct build_record, stack_run_image), "status.stack.runImage" },
	{ TEXT_REF, AT(struct build_record, last_image), "spec.lastBuild.image" },
	{ TEXT_END },
};

static struct node *value_of(const struct node *value, struct arena *arena)
{
	return value ? node_clone(arena, value) : node_new(arena, NODE_NULL);
}

const char *build_changes_print(const struct list *changes, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(CHANGES_BYTES);
	struct node *all = node_new(arena, NODE_SEQ);

	if (!changes->n)
		return NULL;
	for (size_t i = 0; i < changes->n; i++) {
		const struct build_change *change = LIST_AT(*changes, struct build_change, i);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "reason", change->reason);
		node_set(arena, one, "old", value_of(change->old_value, arena));
		node_set(arena, one, "new", value_of(change->new_value, arena));
		node_push(all, one);
	}
	json_print(all, JSON_GO, &text);
	/* A record without its changes is still a record: they explain, nothing is decided by them. */
	return text.is_over ? NULL : buf_copy(&text, arena);
}

static const struct node *not_null(const struct node *value)
{
	return value && value->kind != NODE_NULL ? value : NULL;
}

static bool changes_read(const char *text, struct arena *arena, struct list *out, struct err *err)
{
	struct build_change *changes;
	struct node *all;
	size_t i = 0;

	*out = (struct list){ 0 };
	if (!text)
		return true;
	if (!json_parse(text, strlen(text), arena, &all, err))
		return err_prefix(err, "'buildChanges'");
	if (all->kind != NODE_SEQ || all->n > CHANGES_MAX)
		return err_set(err, ERR_INVALID, "'buildChanges' is no list of at most %d changes",
			       (int)CHANGES_MAX);
	changes = arena_array(arena, all->n, sizeof(*changes));
	for (const struct node *one = all->first; one; one = one->next, i++) {
		changes[i].reason = node_text(one, "reason");
		if (!changes[i].reason)
			return err_set(err, ERR_INVALID, "'buildChanges[%zu]' has no reason", i);
		changes[i].old_value = not_null(node_get(one, "old"));
		changes[i].new_value = not_null(node_get(one, "new"));
	}
	*out = (struct list){ changes, all->n };
	return true;
}

static struct strings completed_steps(const struct list *steps, struct arena *arena)
{
	struct strings names = { 0 };

	for (size_t i = 0; i < steps->n; i++) {
		const struct step_state *step = LIST_AT(*steps, struct step_state, i);

		if (!step->result || strcmp(step->result, "Succeeded") == 0)
			vec_push(arena, &names, step->name);
	}
	return names;
}

struct node *build_encode(const struct build_record *record, struct arena *arena)
{
	struct record_file file = { .r = *record };
	struct node *document = node_new(arena, NODE_MAP), *body;

	file.changes = build_changes_print(&record->changes, arena);
	file.number = arena_printf(arena, "%lld", (long long)record->number);
	file.completed = completed_steps(&record->steps, arena);
	if (!file.r.latest_image)
		file.r.latest_image = record->inputs.image;
	node_set_text(arena, document, "apiVersion", "kpack.io/v1alpha2");
	node_set_text(arena, document, "kind", "Build");
	body = fields_encode(&record_table, &file, arena);
	for (struct node *part = body->first, *next; part; part = next) {
		next = part->next;
		/* A finished build holds no claim, and says so. */
		if (strcmp(part->key, "status") == 0 && !record->inputs.lease_s)
			for (struct node *run = part->first; run; run = run->next)
				if (strcmp(run->key, "run") == 0)
					node_set(arena, run, "lease", node_new(arena, NODE_NULL));
		part->next = NULL;
		node_set(arena, document, part->key, part);
	}
	return document;
}

static bool number_read(const char *text, int64_t *out, struct err *err)
{
	size_t n = strspn(text, "0123456789");

	if (!n || n > 9 || text[n])
		return err_set(err, ERR_INVALID, "'image.kpack.io/buildNumber' is no build number");
	*out = strtoll(text, NULL, 10);
	return true;
}

bool build_read(const struct node *document, struct arena *arena, struct build_record *out,
		struct err *err)
{
	struct record_file file = { 0 };

	*out = (struct build_record){ 0 };
	if (!file_is_of(document, &(struct file_type){ "kpack.io", "Build" }, err) ||
	    !fields_read(&record_table, document, &file, arena, err) ||
	    !number_read(file.number, &file.r.number, err) ||
	    !changes_read(file.changes, arena, &file.r.changes, err))
		return false;
	file.r.inputs.number = file.r.number;
	file.r.inputs.reason = file.r.reason;
	file.r.inputs.builder = file.r.builder_name;
	file.r.inputs.builder_kind = file.r.builder_kind;
	file.r.inputs.image = file.r.latest_image;
	if (!texts_hold(record_rules, &file.r, arena, err) ||
	    !attempt_holds(&file.r.inputs, arena, err))
		return false;
	*out = file.r;
	return true;
}
