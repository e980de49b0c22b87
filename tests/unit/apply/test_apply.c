/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_apply.c — the scheduler with workers of a few lines of shell, against a real state repository: in which order, how many
 * at once, claimed before, what a failure takes with it, what a signal leaves.
 * A worker writes "+ ID" and "- ID" to a log of its own; files in the folder say what it does besides: "fail", "slow",
 * "deaf" (to SIGTERM), "rob" (its claim becomes another run's), each with a name.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"
#include "model/doc/yaml.h"
#include "reconcile/apply/walk.h"
#include "unit/cli/folder.h"

enum { IMAGES = 4, NOW_S = 1795317320 };

static const char parts[] =
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterStack\n"
	"metadata: {name: base}\n"
	"spec: {id: acme, buildImage: {image: 'r.local/build'}, runImage: {image: 'r.local/run'}}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterStore\n"
	"metadata: {name: store}\n"
	"spec: {sources: [{image: r.local/bp}]}\n"
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: ClusterBuilder\n"
	"metadata: {name: default}\n"
	"spec:\n"
	"  tag: r.local/builder\n"
	"  serviceAccountRef: {name: default, namespace: shop}\n"
	"  stack: {name: base, kind: ClusterStack}\n"
	"  store: {name: store, kind: ClusterStore}\n"
	"  order: [{group: [{id: acme/bp}]}]\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: ServiceAccount\n"
	"metadata: {name: default, namespace: shop}\n";

static const char image_text[] =
	"---\n"
	"apiVersion: kpack.io/v1alpha2\n"
	"kind: Image\n"
	"metadata: {name: i%zu, namespace: shop}\n"
	"spec:\n"
	"  tag: r.local/i%zu\n"
	"  builder: {kind: ClusterBuilder, name: default}\n"
	"  source: {git: {url: 'https://g.local/a.git', revision: main}}\n";

/* Everything is written by one echo, so that lines of several workers do not mix. */
static const char worker[] =
	"cd \"$0\"\n"
	"request=$(cat)\n"
	"id=${request#*'\"id\":\"'}; id=${id%%'\"'*}; name=${id##*/}; name=${name%%#*}\n"
	"case $id in Image/*)\n"
	"  git -C state.git show \"reconcile/state:shop/images/$name.yaml\" | grep -q 'result: "
	"Building' &&\n"
	"  git -C state.git cat-file -e "
	"\"reconcile/state:shop/images/$name/builds/${id##*#}.yaml\" ||\n"
	"    echo \"unclaimed $id\" >>log ;;\n"
	"esac\n"
	"echo \"+ $id\" >>log\n"
	"rob() { rm -rf rob; git clone -q -b reconcile/state state.git rob &&\n"
	"  sed -i 's/01AAAAAAAAAAAAAAAAAAAAAAAA/01CCCCCCCCCCCCCCCCCCCCCCCC/' "
	"rob/shop/images/$name.yaml &&\n"
	"  git -C rob -c user.name=a -c user.email=a@b commit -qam rob && git -C rob push -q; }\n"
	"[ ! -e \"rob-$name\" ] || rob || rob || rob\n"
	"[ ! -e \"deaf-$name\" ] || trap '' TERM\n"
	"[ ! -e \"slow-$name\" ] || for i in $(seq 100); do sleep 0.1; done\n"
	"sleep 0.2\n"
	"echo \"- $id\" >>log\n"
	"if [ -e \"fail-$name\" ]; then\n"
	"  echo '{\"type\":\"failure\",\"failure\":\"invalid\",\"text\":\"it does not fit\"}'\n"
	"  exit 1\n"
	"fi\n"
	"echo '{\"type\":\"result\",\"stackId\":\"acme\",\"image\":\"r.local/'$name'@sha256:"
	"1111111111111111111111111111111111111111111111111111111111111111\"}'\n";

struct fixture {
	struct folder folder;
	struct arena *arena;
	struct model model;
	struct store *store;
	struct state_files base;
	struct recorder *recorder;
	struct facts facts;
	struct plan_options options;
	struct plan plan;
	struct apply_spec spec;
	struct request_spec request;
	struct apply_result result;
	struct err err;
	const char *argv[6], *ended;
	int wake[2];
	size_t n_started, stop_after,
		n_signals; /* stop after so many starts, with so many signals */
	char *log;
	int64_t took_ms;
};

static bool has_stopped;

static bool is_stopping(void)
{
	return has_stopped;
}

static void must(bool is_done, const struct err *err)
{
	if (!is_done)
		fail_msg("%s", err->text);
}

static void declare(struct fixture *f, size_t n_images)
{
	struct source_file *file = ARENA_NEW(f->arena, struct source_file);
	struct documents documents = { 0 };
	const char *text = parts;
	struct diags diags;

	for (size_t i = 0; i < n_images; i++)
		text = arena_printf(f->arena, "%s%s", text,
				    arena_printf(f->arena, image_text, i, i));
	*file = (struct source_file){ "all.yaml", text, strlen(text) };
	diags_init(&diags, f->arena);
	model_init(&f->model, f->arena);
	yaml_parse(file, f->arena, &documents, &diags);
	for (size_t i = 0; i < documents.n; i++) {
		struct object *object = object_decode(documents.v[i], file, f->arena, &diags);

		assert_non_null(object);
		model_add(&f->model, object, &diags);
	}
	model_link(&f->model, &diags);
	if (diags.n_errors)
		fail_msg("%s", diags.list.v[0].text);
}

static void label(struct fixture *f, struct image_config *config, const char *key,
		  const char *value)
{
	vec_push(f->arena, &config->labels, (struct pair){ key, value, { 0 } });
}

/* One answer for all images: it is a stack's as well as a buildpack's. */
static void answer_image(struct fixture *f, struct fact *fact)
{
	struct image_config *config = ARENA_NEW(f->arena, struct image_config);
	struct manifest *manifest = ARENA_NEW(f->arena, struct manifest);
	const char *diff_id = arena_strdup(f->arena, digest_of("layer", 5).text);

	config->platform.os = "linux";
	config->platform.arch = "amd64";
	vec_push(f->arena, &config->env, "CNB_USER_ID=1000");
	vec_push(f->arena, &config->env, "CNB_GROUP_ID=1000");
	vec_push(f->arena, &config->diff_ids, diff_id);
	label(f, config, "io.buildpacks.stack.id", "acme");
	label(f, config, "io.buildpacks.buildpackage.metadata",
	      "{\"id\":\"acme/bp\",\"version\":\"1.0.0\"}");
	label(f, config, "io.buildpacks.buildpack.layers",
	      arena_printf(f->arena,
			   "{\"acme/bp\":{\"1.0.0\":{\"api\":\"0.10\",\"layerDiffID\":\"%s\","
			   "\"stacks\":[{\"id\":\"*\"}]}}}",
			   diff_id));
	manifest->layers = ARENA_NEW(f->arena, struct descriptor);
	manifest->layers[0] = (struct descriptor){ .digest = diff_id, .size_bytes = 10 };
	manifest->n_layers = 1;
	fact->config = config;
	fact->manifest = manifest;
	fact->digest = fact->image_digest = arena_strdup(
		f->arena, digest_of(fact->query->image, strlen(fact->query->image)).text);
}

static void answer(struct fixture *f)
{
	struct queries queries = { 0 };

	f->facts = (struct facts){ 0 };
	queries_make(&f->model, &f->base.state, &f->options, f->arena, &queries);
	for (size_t i = 0; i < queries.list.n; i++) {
		struct fact *fact = ARENA_NEW(f->arena, struct fact);

		fact->query = queries.list.v[i];
		fact->is_known = true;
		if (fact->query->kind == QUERY_IMAGE) {
			answer_image(f, fact);
		} else {
			fact->commit = "0123456789abcdef0123456789abcdef01234567";
			fact->ref_type = GIT_BRANCH;
			fact->ref_name = "refs/heads/main";
		}
		map_set(f->arena, &f->facts.by_key, fact->query->key, fact);
	}
}

static void on_start(void *ctx, const struct step *step)
{
	struct fixture *f = ctx;

	(void)step;
	if (++f->n_started != f->stop_after)
		return;
	has_stopped = true;
	for (size_t i = 0; i < f->n_signals; i++)
		assert_int_equal(write(f->wake[1], "", 1), 1);
}

static void on_end(void *ctx, const struct step *step, const struct outcome *outcome)
{
	struct fixture *f = ctx;

	f->ended = arena_printf(f->arena, "%s%s %s\n", f->ended, step->id,
				outcome->is_done ? "done" : "failed");
}

static void open_state(struct fixture *f)
{
	const struct store_place place = { .url = folder_path(&f->folder, "state.git"),
					   .branch = "reconcile/state" };
	struct recorder_spec spec = { .arena = f->arena,
				      .base = &f->base,
				      .author_name = "reconcile",
				      .author_email = "r@example.com",
				      .run_id = f->options.run_id,
				      .retries = 3,
				      .now_s = NOW_S };

	must(store_open(&place, &f->store, &f->err), &f->err);
	must(state_read(f->store, f->arena, &f->base, &f->err), &f->err);
	spec.store = f->store;
	f->recorder = recorder_new(&spec);
}

static void close_state(struct fixture *f)
{
	recorder_free(&f->recorder);
	state_files_release(&f->base);
	store_close(&f->store);
}

static void make_spec(struct fixture *f)
{
	const char *dir = f->folder.dir.path;

	f->argv[0] = "/bin/sh";
	f->argv[1] = "-c";
	f->argv[2] = worker;
	f->argv[3] = dir;
	f->request = (struct request_spec){ .model = &f->model,
					    .base_dir = dir,
					    .manifest_dir = dir,
					    .cache_dir = dir,
					    .temp_dir = dir,
					    .run_id = f->options.run_id,
					    .now_s = NOW_S };
	f->spec = (struct apply_spec){ .plan = &f->plan,
				       .options = &f->options,
				       .recorder = f->recorder,
				       .store = f->store,
				       .request = &f->request,
				       .worker_argv = f->argv,
				       .log_dir = folder_path(&f->folder, "logs"),
				       .without_logs = true,
				       .jobs = 2,
				       .lease_s = 900,
				       .grace_s = 1,
				       .is_stopping = is_stopping,
				       .wake_fd = f->wake[0],
				       .events = {
					       .on_start = on_start, .on_end = on_end, .ctx = f } };
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct git_repo *repo;

	*state = f;
	has_stopped = false;
	f->ended = "";
	f->n_signals = 1;
	if (folder_make(&f->folder) || pipe2(f->wake, O_CLOEXEC | O_NONBLOCK) ||
	    !git_repo_init(folder_path(&f->folder, "state.git"), &repo, &f->err))
		return -1;
	git_repo_close(&repo);
	f->arena = f->folder.arena;
	f->options =
		(struct plan_options){ .now_s = NOW_S, .run_id = "01AAAAAAAAAAAAAAAAAAAAAAAA" };
	declare(f, IMAGES);
	open_state(f);
	make_spec(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_state(f);
	close(f->wake[0]);
	close(f->wake[1]);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static void plan(struct fixture *f)
{
	answer(f);
	plan_make(&f->model, &f->base.state, &f->facts, &f->options, f->arena, &f->plan);
}

static bool run(struct fixture *f)
{
	int64_t start_ms = clock_mono_ms();
	bool is_done = apply(&f->spec, f->arena, &f->result, &f->err);
	size_t n;

	f->took_ms = clock_mono_ms() - start_ms;
	assert_true(fs_read(AT_FDCWD, folder_path(&f->folder, "log"), 1 << 20, f->arena, &f->log,
			    &n, &(struct err){ 0 }));
	if (!f->log)
		f->log = arena_strdup(f->arena, "");
	return is_done;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

/* The greatest number of workers that were there at once. */
static int most_at_once(const char *log)
{
	int now = 0, most = 0;

	for (const char *at = log; *at; at += strcspn(at, "\n") + 1) {
		now += *at == '+' ? 1 : *at == '-' ? -1 : 0;
		most = now > most ? now : most;
	}
	return most;
}

/* What the branch holds about shop/i<n>, read anew; fails when it holds nothing. */
static const struct attempt *recorded(struct fixture *f, size_t n)
{
	const struct image_status *status;

	close_state(f);
	open_state(f);
	status = state_status(&f->base.state, arena_printf(f->arena, "Image/shop/i%zu", n));
	assert_non_null(status);
	assert_non_null(status->last);
	return status->last;
}

static void test_apply__goes_in_order_with_claims_and_no_more_than_jobs(void **state)
{
	struct fixture *f = *state;

	plan(f);
	must(run(f), &f->err);
	assert_int_equal(f->result.n_done, IMAGES + 1);
	assert_int_equal(f->result.n_failed, 0);
	assert_true(f->result.has_begun);
	assert_memory_equal(f->log, "+ ClusterBuilder/default", 24);
	assert_true(strstr(f->log, "- ClusterBuilder/default") < strstr(f->log, "+ Image/"));
	assert_int_equal(count(f->log, "+ Image/"), IMAGES);
	assert_int_equal(most_at_once(f->log), 2);
	assert_null(strstr(f->log, "unclaimed"));
	for (size_t i = 0; i < IMAGES; i++)
		assert_string_equal(recorded(f, i)->result, "Succeeded");
	plan(f);
	assert_int_equal(f->plan.n_unchanged, IMAGES + 3);
}

static void test_apply__takes_one_after_the_other_with_one_job(void **state)
{
	struct fixture *f = *state;

	f->spec.jobs = 1;
	plan(f);
	must(run(f), &f->err);
	assert_int_equal(most_at_once(f->log), 1);
	assert_int_equal(f->result.n_done, IMAGES + 1);
}

static void test_apply__goes_on_beside_a_failure(void **state)
{
	struct fixture *f = *state;

	assert_true(folder_put(&f->folder, "fail-i1", ""));
	plan(f);
	must(run(f), &f->err);
	assert_int_equal(f->result.n_done, IMAGES);
	assert_int_equal(f->result.n_failed, 1);
	assert_non_null(strstr(f->ended, "Image/shop/i1 failed"));
	assert_string_equal(recorded(f, 1)->result, "Failed");
	assert_string_equal(recorded(f, 2)->result, "Succeeded");
}

static void test_apply__starts_nothing_that_waited_for_a_failure(void **state)
{
	struct fixture *f = *state;

	assert_true(folder_put(&f->folder, "fail-default", ""));
	plan(f);
	must(run(f), &f->err);
	assert_string_equal(f->log, "+ ClusterBuilder/default\n- ClusterBuilder/default\n");
	assert_int_equal(f->result.n_done, 0);
	assert_int_equal(f->result.n_failed, IMAGES + 1);
	assert_int_equal(count(f->ended, "Image/shop/i"), IMAGES);
}

/* Another run of the same plan comes first, with all that it does. */
static void run_other(struct fixture *f)
{
	struct fixture other = *f;

	other.options.run_id = "01BBBBBBBBBBBBBBBBBBBBBBBB";
	open_state(&other);
	make_spec(&other);
	plan(&other);
	must(run(&other), &other.err);
	close_state(&other);
	assert_int_equal(unlink(folder_path(&f->folder, "log")), 0);
}

static void test_apply__leaves_to_another_run_what_that_claimed(void **state)
{
	struct fixture *f = *state;

	plan(f);
	run_other(f);
	must(run(f), &f->err);
	assert_string_equal(f->log, "+ ClusterBuilder/default\n- ClusterBuilder/default\n");
	assert_true(f->result.lost.n >= IMAGES);
	assert_int_equal(recorded(f, 0)->number, 1);
	assert_string_equal(recorded(f, 0)->result, "Succeeded");
}

static void test_apply__starts_nothing_when_its_first_claims_come_too_late(void **state)
{
	struct fixture *f = *state;
	struct strings triggers = { 0 };

	plan(f);
	must(run(f), &f->err);
	close_state(f);
	open_state(f);
	make_spec(f);
	vec_push(f->arena, &triggers, "Image/shop/i0");
	f->options.triggers = &triggers;
	plan(f);
	run_other(f);
	assert_false(run(f));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_false(f->result.has_begun);
	assert_string_equal(f->log, "");
	assert_int_equal(recorded(f, 0)->number, 2);
}

/* As after a sleep of this machine that was longer than a lease. */
static void test_apply__ends_a_build_that_another_run_took_over(void **state)
{
	struct fixture *f = *state;

	assert_true(folder_put(&f->folder, "rob-i1", ""));
	assert_true(folder_put(&f->folder, "slow-i1", ""));
	f->spec.lease_s = 4;
	plan(f);
	must(run(f), &f->err);
	assert_int_equal(f->result.n_done, IMAGES); /* with the builder */
	assert_int_equal(f->result.lost.n, 1);
	assert_string_equal(f->result.lost.v[0], "Image/shop/i1");
	assert_non_null(strstr(f->log, "+ Image/shop/i1"));
	assert_null(strstr(f->log, "- Image/shop/i1"));
	assert_string_equal(recorded(f, 1)->run_id, "01CCCCCCCCCCCCCCCCCCCCCCCC");
	assert_string_equal(recorded(f, 1)->result, "Building");
	assert_string_equal(recorded(f, 2)->result, "Succeeded");
}

static void test_apply__renews_by_whichever_clock_is_first(void **state)
{
	enum { SET_S = 1000 };
	struct fixture *f = *state;
	struct walk walk = { .spec = &f->spec, .claimed_s = NOW_S, .claimed_ms = 5000 };

	f->spec.lease_s = 30;
	assert_int_equal(walk_renewal_ms(&walk, NOW_S, 5000), 15000);
	assert_int_equal(walk_renewal_ms(&walk, NOW_S + 10, 15000), 5000);
	assert_int_equal(walk_renewal_ms(&walk, NOW_S + 15, 20000), 0);
	assert_int_equal(walk_renewal_ms(&walk, NOW_S - SET_S, 19000), 1000); /* set back */
	assert_int_equal(walk_renewal_ms(&walk, NOW_S - SET_S, 20000), 0);
	assert_int_equal(walk_renewal_ms(&walk, NOW_S + SET_S, 6000),
			 0); /* set forward, or asleep */
}

static void test_apply__a_signal_lets_running_builds_finish(void **state)
{
	struct fixture *f = *state;

	f->stop_after = 3; /* the builder, two images */
	f->spec.grace_s = 30;
	plan(f);
	must(run(f), &f->err);
	assert_true(f->result.is_interrupted);
	assert_int_equal(count(f->log, "- Image/"), 2);
	assert_int_equal(count(f->ended, "Image/shop/i"), IMAGES);
	assert_int_equal(f->result.n_done, 3);
	assert_string_equal(recorded(f, 0)->result, "Succeeded");
	assert_string_equal(recorded(f, 3)->result, "Interrupted");
	assert_true(f->took_ms < 20000);
}

static void test_apply__a_signal_ends_those_that_take_longer_than_the_grace_period(void **state)
{
	struct fixture *f = *state;

	assert_true(folder_put(&f->folder, "slow-i0", ""));
	assert_true(folder_put(&f->folder, "slow-i1", ""));
	assert_true(folder_put(&f->folder, "deaf-i1", ""));
	f->stop_after = 3;
	plan(f);
	must(run(f), &f->err);
	assert_true(f->result.is_interrupted);
	assert_null(strstr(f->log, "- Image/"));
	assert_true(f->took_ms >= 1000 && f->took_ms < 9000);
	assert_string_equal(recorded(f, 0)->result, "Interrupted");
	assert_string_equal(recorded(f, 1)->result, "Interrupted");
}

static void test_apply__a_second_signal_ends_them_at_once(void **state)
{
	struct fixture *f = *state;

	assert_true(folder_put(&f->folder, "slow-i0", ""));
	assert_true(folder_put(&f->folder, "slow-i1", ""));
	f->stop_after = 3;
	f->n_signals = 2;
	f->spec.grace_s = 60;
	plan(f);
	must(run(f), &f->err);
	assert_null(strstr(f->log, "- Image/"));
	assert_true(f->took_ms < 9000);
	assert_string_equal(recorded(f, 0)->result, "Interrupted");
}

static void test_apply__deletes_and_moves_what_the_plan_says(void **state)
{
	struct fixture *f = *state;

	plan(f);
	must(run(f), &f->err);
	close_state(f);
	open_state(f);
	make_spec(f);
	declare(f, IMAGES - 1);
	f->options.with_prune = true;
	f->options.scope = (struct scope){ .folder = "", .shown = "" };
	assert_int_equal(unlink(folder_path(&f->folder, "log")), 0);
	plan(f);
	must(run(f), &f->err);
	assert_string_equal(f->log, "");
	assert_string_equal(recorded(f, 0)->result, "Succeeded");
	assert_null(state_status(&f->base.state, "Image/shop/i3"));
	plan(f);
	for (size_t i = 0; i < f->plan.steps.n; i++) {
		const struct state_entry *entry =
			map_get(&f->base.state.by_id, f->plan.steps.v[i]->id);

		assert_string_equal(entry->origin.manifest, "all.yaml");
		assert_null(f->plan.steps.v[i]->moved);
	}
}

int main(int argc, char **argv, char **environment)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_apply__goes_in_order_with_claims_and_no_more_than_jobs),
		TEST(test_apply__takes_one_after_the_other_with_one_job),
		TEST(test_apply__goes_on_beside_a_failure),
		TEST(test_apply__starts_nothing_that_waited_for_a_failure),
		TEST(test_apply__leaves_to_another_run_what_that_claimed),
		TEST(test_apply__starts_nothing_when_its_first_claims_come_too_late),
		TEST(test_apply__ends_a_build_that_another_run_took_over),
		TEST(test_apply__renews_by_whichever_clock_is_first),
		TEST(test_apply__a_signal_lets_running_builds_finish),
		TEST(test_apply__a_signal_ends_those_that_take_longer_than_the_grace_period),
		TEST(test_apply__a_second_signal_ends_them_at_once),
		TEST(test_apply__deletes_and_moves_what_the_plan_says),
	};
	char git[PATH_MAX];

	(void)argc;
	(void)argv;
	proc_set_environment((const char *const *)environment);
	if (!proc_find("git", git)) {
		printf("skipped: git is not on this machine\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
