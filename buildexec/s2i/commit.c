/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit.c — what scripts changed becomes a layer on the image they ran in, with the config that a committed container has:
 * CMD is the run script, user and entrypoint are the image's own. See build.h; openshift.md §4.1 "Commit".
 */
#include <string.h>

#include "buildexec/image/diff.h"
#include "buildexec/s2i/build.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/time.h"

enum { METADATA_BYTES = 1 << 20 };

#define METADATA_FILE "/tmp/.s2i/image_metadata.json"

static void label(struct build *build, struct pairs *labels, const char *name, const char *value)
{
	const char *prefix =
		build->spec->label_prefix ? build->spec->label_prefix : "io.openshift.";

	if (value && value[0])
		label_set(build->arena, labels,
			  arena_printf(build->arena, "%sbuild.%s", prefix, name), value);
}

static void add_generated(struct build *build, struct pairs *labels)
{
	const struct s2i_spec *spec = build->spec;
	const struct s2i_identity *identity = &spec->identity;

	if (identity->display_name && identity->display_name[0])
		label_set(build->arena, labels, "io.k8s.display-name", identity->display_name);
	else if (spec->tags.n > 0)
		label_set(build->arena, labels, "io.k8s.display-name", spec->tags.v[0]);
	if (identity->description && identity->description[0])
		label_set(build->arena, labels, "io.k8s.description", identity->description);
	label(build, labels, "image",
	      spec->builder_name ? spec->builder_name : spec->builder_image);
	label(build, labels, "commit.author", identity->commit_author);
	label(build, labels, "commit.date", identity->commit_date);
	label(build, labels, "commit.id", identity->commit_id);
	label(build, labels, "commit.ref", identity->commit_ref);
	if (identity->commit_message)
		label(build, labels, "commit.message",
		      label_message(identity->commit_message, build->arena));
	label(build, labels, "source-location", identity->source_location);
	label(build, labels, "source-context-dir", spec->context_dir);
}

static void add_all(struct build *build, struct pairs *labels, const struct pairs *more)
{
	for (size_t i = 0; i < more->n; i++)
		label_set(build->arena, labels, more->v[i].key, more->v[i].value);
}

/* The image's own < generated < the source's < the spec's < what assemble wrote. */
static bool make_labels(struct build *build, struct pairs *labels, struct err *err)
{
	struct pairs written = { 0 };
	char *text;
	size_t n;

	add_generated(build, labels);
	add_all(build, labels, &build->new_labels);
	add_all(build, labels, &build->spec->image_labels);
	if (!rootfs_read(&build->final->all, METADATA_FILE, METADATA_BYTES, build->arena, &text, &n,
			 err) ||
	    (text && !image_metadata_parse(text, n, build->arena, &written, err)))
		return err_prefix(err, "cannot read labels from '" METADATA_FILE "'");
	add_all(build, labels, &written);
	return labels_finish(labels, err);
}

/* Where the runtime mounts something: what the changes have there are its mount points. */
static struct strings mount_points(const struct build *build)
{
	static const char *const always[] = { "/proc", "/sys", "/dev" };
	static const char *const with_network[] = { "/etc/resolv.conf", "/etc/hosts" };
	struct strings out = { 0 };

	for (size_t i = 0; i < COUNTOF(always); i++)
		vec_push(build->arena, &out, always[i]);
	for (size_t i = 0; build->spec->network == SANDBOX_HOST && i < COUNTOF(with_network); i++)
		vec_push(build->arena, &out, with_network[i]);
	for (size_t i = 0; i < build->final->volumes.n; i++)
		vec_push(build->arena, &out, build->final->volumes.v[i].to);
	return out;
}

static bool write_layer(struct build *build, struct layer_result *out, struct err *err)
{
	const struct container *final = build->final;
	struct layer_options options = {
		.blob_dir = path_join(build->arena, build->spec->work_dir, "blobs"),
		.profile = build->spec->profile,
	};
	struct strings left_out = mount_points(build), owned = { 0 };
	struct diff_spec spec = {
		.upper = final->upper,
		.base = &final->base,
		.left_out = &left_out,
		.mtime_s = s2i_created_s(build->spec),
		.has_owner = final->is_rootless,
		.uid = final->user.uid,
		.gid = final->user.gid,
		.owned = &owned,
	};
	AUTO_LAYER *layer = NULL;
	struct diff_stats stats;

	vec_push(build->arena, &owned, final->working_dir);
	if (final->user.home)
		vec_push(build->arena, &owned, final->user.home);
	if (!layer_open(&options, &layer, err) ||
	    !diff_write(&spec, layer_tar(layer), &stats, err) || !layer_commit(&layer, out, err))
		return false;
	build->result->n_entries = stats.n_entries;
	if (stats.n_left_out > 0)
		s2i_warn(build->spec, "%llu sockets, devices or files named '.wh.…' are left out",
			 (unsigned long long)stats.n_left_out);
	if (stats.n_xattrs_left_out > 0)
		s2i_warn(build->spec,
			 "%llu files have more extended attributes than fit into a layer",
			 (unsigned long long)stats.n_xattrs_left_out);
	return true;
}

static bool make_config(struct build *build, struct image_config *config, struct err *err)
{
	char *created = arena_alloc(build->arena, TIME_TEXT);

	time_format(s2i_created_s(build->spec), created);
	config->created = created;
	config->cmd = (struct strings){ 0 };
	vec_push(build->arena, &config->cmd, build->run_path);
	config->env = environment_join(&build->env, &config->env, build->arena);
	return make_labels(build, &config->labels, err);
}

static bool warn_without_run(struct build *build, struct err *err)
{
	struct rootfs_entry entry;

	if (!rootfs_find(&build->final->all, build->run_path, true, build->arena, &entry, err))
		return false;
	if (!entry.host)
		s2i_warn(build->spec, "the image is to run '%s', which it does not have",
			 build->run_path);
	return true;
}

static bool push(struct build *build, const struct image_draft *draft, struct err *err)
{
	const struct s2i_spec *spec = build->spec;
	const struct ref **refs = arena_array(build->arena, spec->tags.n, sizeof(*refs));
	struct image_push push = {
		.draft = draft, .access = spec->access, .tags = refs, .n_tags = spec->tags.n
	};

	for (size_t i = 0; i < spec->tags.n; i++) {
		struct ref *ref = ARENA_NEW(build->arena, struct ref);

		if (!ref_parse(spec->tags.v[i], build->arena, ref, err))
			return false;
		refs[i] = ref;
	}
	if (!image_push(&push, build->arena, &build->result->bytes, err))
		return err_prefix(err, "cannot save '%s'", spec->tags.v[0]);
	build->result->image =
		ref_pinned(refs[0], build->result->bytes.manifest_desc.digest, build->arena);
	build->result->tags = spec->tags;
	return true;
}

static bool last_look(struct build *build, struct err *err)
{
	const struct s2i_made made = { .lowers = build->final->all.layers,
				       .config = &build->draft.config };

	return !build->spec->on_made || build->spec->on_made(build->spec->ctx, &made, err);
}

bool phase_commit(struct build *build, struct err *err)
{
	struct image_draft draft;
	struct layer_result layer;
	struct history history = { 0 };

	build->result->reason = S2I_COMMIT_FAILED;
	image_draft_init(&draft, &build->final->image, build->arena);
	if (!warn_without_run(build, err) || !write_layer(build, &layer, err) ||
	    !make_config(build, &draft.config, err))
		return false;
	history.created = draft.config.created;
	history.created_by =
		build->scripts.v[SCRIPT_ASSEMBLE].path
			? build->scripts.v[SCRIPT_ASSEMBLE].path
			: path_join(build->arena, build->destination, "scripts/assemble");
	image_draft_add(&draft, &layer, &history, build->arena);
	build->result->layer = draft.layers.v[draft.layers.n - 1].desc;
	draft.annotations = build->spec->annotations;
	build->draft = draft;
	build->result->reason = S2I_COMPLETED;
	return last_look(build, err);
}

bool phase_push(struct build *build, struct err *err)
{
	build_log_say("Pushing image %s ...", build->spec->tags.v[0]);
	if (!push(build, &build->draft, err))
		return build_fail(build, S2I_PUSH_FAILED);
	build_log_say("Push successful: %s", build->result->image);
	return true;
}
