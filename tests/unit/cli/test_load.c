/* SPDX-License-Identifier: Apache-2.0 */
/* test_load.c — which files are found, what becomes of them, in which order problems come, and whose settings count. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/kind/secret.h"
#include "model/kind/settings.h"
#include "reconcile/load.h"
#include "reconcile/secrets.h"
#include "unit/cli/folder.h"

#define STORE(name)                                                                                \
	"apiVersion: kpack.io/v1alpha2\nkind: ClusterStore\nmetadata: {name: " name "}\n"          \
	"spec: {sources: [{image: registry.local/" name "}]}\n"
#define SETTINGS(name, fields)                                                                     \
	"apiVersion: reconcile.dev/v1\nkind: Settings\nmetadata: {name: " name "}\n" fields

struct fixture {
	struct folder folder;
	struct loaded loaded;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return folder_make(&f->folder);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loaded_release(&f->loaded);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	assert_true(folder_put(&f->folder, name, text));
}

static void load_with(struct fixture *f, struct load_spec spec)
{
	if (!spec.path)
		spec.path = f->folder.dir.path;
	loaded_release(&f->loaded);
	if (!load_manifests(&spec, f->folder.arena, &f->loaded, &f->err))
		fail_msg("%s", f->err.text);
}

static void load(struct fixture *f)
{
	load_with(f, (struct load_spec){ 0 });
}

static void must_be_clean(struct fixture *f)
{
	if (f->loaded.diags.list.n)
		fail_msg("%s: %s", f->loaded.diags.list.v[0].file->path,
			 f->loaded.diags.list.v[0].text);
}

static bool has(const struct fixture *f, const char *id)
{
	return map_has(&f->loaded.model.by_id, id);
}

/* The first problem that contains the text; fails when there is none. */
static const struct diag *problem(struct fixture *f, const char *text)
{
	for (size_t i = 0; i < f->loaded.diags.list.n; i++)
		if (strstr(f->loaded.diags.list.v[i].text, text))
			return &f->loaded.diags.list.v[i];
	fail_msg("no problem says '%s'; %zu others", text, f->loaded.diags.list.n);
	return NULL;
}

static void test_load__finds_manifests_in_folders_and_nothing_hidden(void **state)
{
	struct fixture *f = *state;

	put(f, "a.yaml", STORE("a"));
	put(f, "deep/er/b.yml", STORE("b"));
	put(f, "c.json",
	    "{\"apiVersion\":\"kpack.io/v1alpha2\",\"kind\":\"ClusterStore\","
	    "\"metadata\":{\"name\":\"c\"},\"spec\":{\"sources\":[{\"image\":"
	    "\"registry.local/c\"}]}}");
	put(f, ".hidden.yaml", STORE("hidden"));
	put(f, ".git/config.yaml", STORE("git"));
	put(f, ".yaml", STORE("suffix"));
	put(f, "notes.txt", "kind: [");
	put(f, "a.yaml.bak", STORE("bak"));
	load(f);
	must_be_clean(f);
	assert_int_equal(f->loaded.model.objects.n, 3);
	assert_int_equal(f->loaded.model.n_files, 3);
	assert_true(has(f, "ClusterStore/a") && has(f, "ClusterStore/b") &&
		    has(f, "ClusterStore/c"));
}

static void test_load__follows_links_to_files_inside_the_folder_only(void **state)
{
	struct fixture *f = *state;
	struct folder outside;

	assert_int_equal(folder_make(&outside), 0);
	assert_true(folder_put(&outside, "x.yaml", STORE("x")));
	put(f, "..data/real.yaml", STORE("real"));
	put(f, "sub/other.yaml", STORE("other"));
	assert_int_equal(symlink("..data/real.yaml", folder_path(&f->folder, "link.yaml")), 0);
	assert_int_equal(symlink("sub", folder_path(&f->folder, "again")), 0);
	assert_int_equal(symlink(".", folder_path(&f->folder, "loop")), 0);
	load(f);
	must_be_clean(f);
	assert_int_equal(f->loaded.model.objects.n, 2);
	assert_int_equal(
		symlink(folder_path(&outside, "x.yaml"), folder_path(&f->folder, "out.yaml")), 0);
	assert_int_equal(symlink("nowhere", folder_path(&f->folder, "gone.yaml")), 0);
	load(f);
	assert_int_equal(problem(f, "leads out of the folder")->severity, SEVERITY_ERROR);
	assert_int_equal(problem(f, "leads nowhere")->severity, SEVERITY_WARNING);
	assert_false(has(f, "ClusterStore/x"));
	folder_release(&outside);
}

static void test_load__takes_one_file(void **state)
{
	struct fixture *f = *state;
	char real[PATH_MAX];

	put(f, "one.yaml", "---\n" STORE("a") "---\n" STORE("b"));
	put(f, "two.yaml", "kind: [");
	load_with(f, (struct load_spec){ .path = folder_path(&f->folder, "one.yaml") });
	must_be_clean(f);
	assert_int_equal(f->loaded.model.objects.n, 2);
	assert_non_null(realpath(f->folder.dir.path, real));
	assert_string_equal(f->loaded.dir, real);
}

static void test_load__reports_a_path_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	const struct load_spec spec = { .path = "/nonexistent/manifests" };
	struct loaded loaded;

	assert_false(load_manifests(&spec, f->folder.arena, &loaded, &f->err));
	assert_non_null(strstr(f->err.text, "cannot read manifests from '/nonexistent/manifests'"));
}

static void test_load__reads_standard_input(void **state)
{
	struct fixture *f = *state;
	int saved = dup(STDIN_FILENO);

	put(f, "in", STORE("piped") "---\nkind: Image\n");
	put(f, "settings.yaml", SETTINGS("s", "jobs: 7\n"));
	assert_non_null(freopen(folder_path(&f->folder, "in"), "r", stdin));
	load_with(f, (struct load_spec){ .path = "-",
					 .settings = folder_path(&f->folder, "settings.yaml") });
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_true(has(f, "ClusterStore/piped"));
	assert_int_equal(f->loaded.diags.n_errors, 1);
	assert_string_equal(f->loaded.diags.list.v[0].file->path, "<stdin>");
	assert_int_equal(f->loaded.diags.list.v[0].pos.line, 6);
	assert_int_equal(f->loaded.model.settings->jobs, 7);
}

static void test_load__opens_lists(void **state)
{
	struct fixture *f = *state;

	put(f, "list.yaml",
	    "apiVersion: v1\nkind: List\nitems:\n"
	    "- {apiVersion: kpack.io/v1alpha2, kind: ClusterStore, metadata: {name: a},"
	    " spec: {sources: [{image: r.local/a}]}}\n"
	    "- {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r}}\n");
	load(f);
	must_be_clean(f);
	assert_true(has(f, "ClusterStore/a"));
	put(f, "list.yaml", "apiVersion: v1\nkind: List\nitems:\n- {kind: List, items: []}\n");
	load(f);
	assert_int_equal(problem(f, "a List in a List")->pos.line, 4);
}

static void test_load__counts_what_is_left_out(void **state)
{
	struct fixture *f = *state;

	put(f, "a.yaml",
	    "apiVersion: kpack.io/v1alpha2\nkind: Build\nmetadata: {name: s}\n---\n"
	    "apiVersion: image.openshift.io/v1\nkind: ImageSignature\nmetadata: {name: b}\n---\n"
	    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n");
	put(f, "b.yaml", "apiVersion: kpack.io/v1alpha2\nkind: Build\nmetadata: {name: t}\n");
	load(f);
	must_be_clean(f);
	assert_int_equal((uintptr_t)map_get(&f->loaded.model.later, "Build"), 2);
	assert_int_equal((uintptr_t)map_get(&f->loaded.model.later, "ImageSignature"), 1);
	assert_int_equal(f->loaded.model.n_ignored, 1);
}

static void test_load__lists_all_problems_in_order_of_file_and_line(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF text = BUF_INIT(1 << 16);
	const struct diag_style style = { .with_excerpt = true };
	const struct diag *last = NULL;

	put(f, "b.yaml",
	    "apiVersion: kpack.io/v1alpha2\nkind: ClusterStore\nmetadata: {name: b}\n"
	    "spec:\n  sourcs: []\n");
	put(f, "a.yaml", STORE("a") "---\na: 1\na: 2\n---\nkind: [\n");
	put(f, "c/c.yaml", STORE("a"));
	load(f);
	assert_true(f->loaded.diags.n_errors >= 3);
	for (size_t i = 0; i < f->loaded.diags.list.n; i++) {
		const struct diag *diag = &f->loaded.diags.list.v[i];
		int order = last ? strcmp(last->file->path, diag->file->path) : -1;

		assert_true(order < 0 || (order == 0 && last->pos.line <= diag->pos.line));
		last = diag;
	}
	assert_int_equal(problem(f, "duplicate ClusterStore/a")->pos.line, 3);
	diag_render(problem(f, "did you mean 'sources'"), &style, &text);
	if (!strstr(buf_text(&text), "b.yaml:5:3: ") ||
	    !strstr(buf_text(&text), "    5 |   sourcs: []") ||
	    !strstr(buf_text(&text), "      |   ^~~~~~"))
		fail_msg("%s", buf_text(&text));
}

static void test_load__makes_unknown_fields_errors_when_strict(void **state)
{
	struct fixture *f = *state;

	put(f, "a.yaml", STORE("a") "  # x\n");
	put(f, "b.yaml", STORE("b") "status: {}\nxyzzy: 1\n");
	load(f);
	assert_int_equal(problem(f, "xyzzy")->severity, SEVERITY_WARNING);
	assert_int_equal(f->loaded.diags.n_errors, 0);
	load_with(f, (struct load_spec){ .is_strict = true });
	assert_int_equal(problem(f, "xyzzy")->severity, SEVERITY_ERROR);
	assert_int_equal(f->loaded.diags.n_errors, 1);
}

static void test_load__limits_the_size_of_a_file(void **state)
{
	struct fixture *f = *state;
	char *path = folder_path(&f->folder, "big.yaml");

	put(f, "big.yaml", STORE("a"));
	assert_int_equal(truncate(path, 64 << 20), 0);
	put(f, "ok.yaml", STORE("ok"));
	load(f);
	assert_int_equal(f->loaded.diags.n_errors, 1);
	assert_string_equal(strrchr(f->loaded.diags.list.v[0].file->path, '/'), "/big.yaml");
	assert_true(has(f, "ClusterStore/ok"));
}

static void test_load__gives_the_same_with_any_number_of_threads(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF first = BUF_INIT(1 << 20);

	for (int i = 0; i < 60; i++)
		put(f, arena_printf(f->folder.arena, "%02d.yaml", i % 50 + i / 50 * 100),
		    arena_printf(
			    f->folder.arena,
			    "apiVersion: kpack.io/v1alpha2\nkind: ClusterStore\n"
			    "metadata: {name: s%d}\nspec: {sources: [{image: r.local/a}], x: 1}\n",
			    i % 55));
	for (size_t threads = 1; threads <= 8; threads *= 2) {
		AUTO_BUF text = BUF_INIT(1 << 20);

		load_with(f, (struct load_spec){ .threads = threads });
		assert_int_equal(f->loaded.model.objects.n, 55);
		for (size_t i = 0; i < f->loaded.diags.list.n; i++)
			diag_render(&f->loaded.diags.list.v[i], &(struct diag_style){ 0 }, &text);
		if (threads == 1)
			buf_add(&first, buf_text(&text), text.len);
		assert_string_equal(buf_text(&text), buf_text(&first));
	}
	assert_non_null(strstr(buf_text(&first), "duplicate ClusterStore/s4"));
}

static void test_settings__of_the_folder_may_not_run_programs(void **state)
{
	struct fixture *f = *state;

	put(f, "reconcile.yaml",
	    SETTINGS("s", "jobs: 3\nexecutor: [ssh, host]\nruntime: /tmp/evil\n"
			  "cacheDir: /etc\ncredentialHelpers: true\n"));
	load(f);
	must_be_clean(f);
	assert_int_equal(f->loaded.model.settings->jobs, 3);
	assert_int_equal(f->loaded.model.settings->executor.n, 0);
	assert_string_equal(f->loaded.model.settings->runtime, "crun");
	assert_null(f->loaded.model.settings->cache_dir);
	assert_false(f->loaded.model.settings->allow_helpers);
	assert_false(f->loaded.has_trusted_settings);
	assert_string_equal(f->loaded.dropped, "runtime, cacheDir, executor, credentialHelpers");
}

static void test_settings__given_replace_those_of_the_folder(void **state)
{
	struct fixture *f = *state;
	const char *given;

	put(f, "reconcile.yaml", SETTINGS("s", "jobs: 3\nnetwork: none\n"));
	put(f, ".given/settings.yaml", SETTINGS("s", "jobs: 5\nexecutor: [ssh, host]\n"));
	given = folder_path(&f->folder, ".given/settings.yaml");
	load_with(f, (struct load_spec){ .settings = given });
	must_be_clean(f);
	assert_int_equal(f->loaded.model.settings->jobs, 5);
	assert_int_equal(f->loaded.model.settings->executor.n, 2);
	assert_string_equal(f->loaded.model.settings->network, "host");
	assert_true(f->loaded.has_trusted_settings);
	assert_null(f->loaded.dropped);
	/* the very file of the folder, named by hand, is trusted too */
	load_with(f, (struct load_spec){ .settings = folder_path(&f->folder, "reconcile.yaml") });
	must_be_clean(f);
	assert_int_equal(f->loaded.model.settings->jobs, 3);
	/* mistakes of the folder's are mistakes all the same */
	put(f, "reconcile.yaml", SETTINGS("s", "jobs: many\n"));
	load_with(f, (struct load_spec){ .settings = given });
	assert_int_equal(f->loaded.diags.n_errors, 1);
}

static void test_settings__given_are_shown_with_their_mistakes(void **state)
{
	struct fixture *f = *state;
	const struct diag *diag;
	AUTO_BUF text = BUF_INIT(1 << 16);

	put(f, ".given/settings.yaml", SETTINGS("s", "jobs: many\n"));
	load_with(f, (struct load_spec){ .settings =
						 folder_path(&f->folder, ".given/settings.yaml") });
	diag = problem(f, "jobs");
	diag_render(diag, &(struct diag_style){ .with_excerpt = true }, &text);
	assert_non_null(strstr(buf_text(&text), "| jobs: many"));
}

static void test_load__takes_a_text_in_the_place_of_a_file(void **state)
{
	struct fixture *f = *state;
	const char *changed = folder_path(&f->folder, "a.yaml"),
		   *added = folder_path(&f->folder, "c.yaml");
	struct load_overlay overlay = { changed, STORE("z"), sizeof(STORE("z")) - 1 };

	put(f, "a.yaml", STORE("a"));
	put(f, "b.yaml", STORE("b"));
	load_with(f, (struct load_spec){ .overlays = &overlay, .n_overlays = 1 });
	must_be_clean(f);
	assert_true(has(f, "ClusterStore/z") && has(f, "ClusterStore/b"));
	assert_false(has(f, "ClusterStore/a"));
	assert_int_equal(f->loaded.files.n, 2);
	assert_string_equal(f->loaded.files.v[0], changed);
	/* gone */
	overlay.text = NULL;
	load_with(f, (struct load_spec){ .overlays = &overlay, .n_overlays = 1 });
	assert_false(has(f, "ClusterStore/a"));
	/* new */
	overlay = (struct load_overlay){ added, STORE("c"), sizeof(STORE("c")) - 1 };
	load_with(f, (struct load_spec){ .overlays = &overlay, .n_overlays = 1 });
	assert_true(has(f, "ClusterStore/a") && has(f, "ClusterStore/b") &&
		    has(f, "ClusterStore/c"));
	assert_false(fs_exists(added));
}

static void test_settings__of_the_user_say_what_the_folder_may_not(void **state)
{
	struct fixture *f = *state;
	const char *user;

	put(f, "reconcile.yaml", SETTINGS("s", "jobs: 3\nruntime: /tmp/evil\n"));
	put(f, ".user/settings.yaml", SETTINGS("u", "jobs: 9\nruntime: runc\n"));
	user = folder_path(&f->folder, ".user/settings.yaml");
	load_with(f, (struct load_spec){ .user = user });
	assert_int_equal(f->loaded.model.settings->jobs, 3);
	assert_string_equal(f->loaded.model.settings->runtime, "runc");
	assert_string_equal(f->loaded.dropped, "runtime");
	unlink(folder_path(&f->folder, "reconcile.yaml"));
	load_with(f, (struct load_spec){ .user = user });
	assert_int_equal(f->loaded.model.settings->jobs, 9);
	assert_true(f->loaded.has_trusted_settings);
	load_with(f, (struct load_spec){ .user = "/nonexistent/settings.yaml" });
	must_be_clean(f);
	assert_string_equal(f->loaded.model.settings->runtime, "crun");
}

static void test_settings__come_one_at_a_time(void **state)
{
	struct fixture *f = *state;

	put(f, "a.yaml", SETTINGS("a", ""));
	put(f, "b.yaml", SETTINGS("b", ""));
	load(f);
	assert_non_null(strstr(problem(f, "a second Settings")->file->path, "b.yaml"));
	put(f, ".given.yaml", STORE("x"));
	load_with(f, (struct load_spec){ .settings = folder_path(&f->folder, ".given.yaml") });
	problem(f, "holds one Settings document");
	load_with(f, (struct load_spec){ .settings = "/nonexistent/settings.yaml" });
	problem(f, "there is no such file");
}

#define SECRET(annotation)                                                                         \
	"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    " annotation      \
	"\nstringData: {username: me}\n"

/* The annotations in one line. */
#define LOGIN(annotations)                                                                         \
	"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations: " annotations          \
	"\nstringData: {username: me}\n"

static void read_secrets(struct fixture *f, bool with_values)
{
	const struct secrets_spec spec = { .dir = f->loaded.dir, .with_values = with_values };

	secrets_read(&spec, &f->loaded.model, &f->loaded.diags);
}

static const struct secret_value *value(struct fixture *f, const char *key)
{
	const struct object *object = model_find(&f->loaded.model, KIND_SECRET, "default", "s");

	assert_non_null(object);
	return secret_get(object->spec, key);
}

static void test_secrets__come_from_variables_made_for_it(void **state)
{
	static const char *const environment[] = { "RECONCILE_SECRET_X=hunter2 hunter2",
						   "GITHUB_TOKEN=not yours", NULL };
	struct fixture *f = *state;
	AUTO_BUF out = BUF_INIT(1024);

	proc_set_environment(environment);
	put(f, "s.yaml", SECRET("reconcile.dev/from-env: password=RECONCILE_SECRET_X"));
	load(f);
	read_secrets(f, false);
	assert_null(value(f, "password"));
	read_secrets(f, true);
	must_be_clean(f);
	assert_string_equal(value(f, "password")->bytes, "hunter2 hunter2");
	assert_string_equal(value(f, "username")->bytes, "me");
	redact("it is hunter2 hunter2", 21, &out);
	assert_string_equal(buf_text(&out), "it is *****");
	put(f, "s.yaml", SECRET("reconcile.dev/from-env: password=RECONCILE_SECRET_Y"));
	load(f);
	read_secrets(f, true);
	assert_int_equal(problem(f, "'RECONCILE_SECRET_Y' is not set")->severity, SEVERITY_WARNING);
	put(f, "s.yaml", SECRET("reconcile.dev/from-env: password=GITHUB_TOKEN"));
	load(f);
	read_secrets(f, false);
	assert_int_equal(problem(f, "cannot take variable 'GITHUB_TOKEN'")->severity,
			 SEVERITY_ERROR);
	assert_null(value(f, "password"));
}

static void test_secrets__come_from_files_below_the_manifests(void **state)
{
	struct fixture *f = *state;

	put(f, "private/key.txt", "line one\nline two\n");
	put(f, "s.yaml", SECRET("reconcile.dev/from-file: key=private/key.txt"));
	load(f);
	read_secrets(f, true);
	must_be_clean(f);
	assert_string_equal(value(f, "key")->bytes, "line one\nline two");
	put(f, "s.yaml", SECRET("reconcile.dev/from-file: a=none.txt"));
	load(f);
	read_secrets(f, true);
	problem(f, "'none.txt' is not there");
	assert_int_equal(f->loaded.diags.n_errors, 0);
}

static void test_secrets__come_from_no_other_files(void **state)
{
	static const char *const names[] = {
		"/etc/passwd",        "../x", "private/../../etc/passwd",
		"/proc/self/environ", "link", "/run/secrets/../../etc/passwd"
	};
	struct fixture *f = *state;

	assert_int_equal(symlink("/etc/passwd", folder_path(&f->folder, "link")), 0);
	for (size_t i = 0; i < COUNTOF(names); i++) {
		put(f, "s.yaml",
		    arena_printf(f->folder.arena, SECRET("reconcile.dev/from-file: a=%s"),
				 names[i]));
		load(f);
		read_secrets(f, true);
		problem(f, "cannot take file");
		assert_null(value(f, "a"));
	}
}

/* One manifest: RECONCILE_SECRET_X and a file as a login for https://reg.local. */
static void read_login(struct fixture *f, const struct list *rules, bool is_dry_run)
{
	const struct secrets_spec spec = { .dir = f->folder.dir.path,
					   .with_values = true,
					   .rules = rules,
					   .is_dry_run = is_dry_run };

	put(f, "key", "k");
	put(f, "s.yaml",
	    LOGIN("{kpack.io/docker: 'https://reg.local', reconcile.dev/from-env: "
		  "password=RECONCILE_SECRET_X, reconcile.dev/from-file: key=key}"));
	load(f);
	secrets_read(&spec, &f->loaded.model, &f->loaded.diags);
}

static void test_secrets__go_where_trusted_settings_say(void **state)
{
	static const char *const environment[] = { "RECONCILE_SECRET_X=hunter2 hunter2", NULL };
	const char *servers[] = { "https://reg.local", "https://other.local" };
	struct settings_secret all[] = {
		{ .from = "RECONCILE_SECRET_X", .servers = { .v = servers, .n = 2 } },
		{ .from = "./key", .servers = { .v = servers + 1, .n = 1 } },
		{ .from = "key", .servers = { .v = servers, .n = 1 } },
	};
	const struct list rules = { all, COUNTOF(all) }, other = { all + 1, 1 }, none = { 0 };
	struct fixture *f = *state;

	proc_set_environment(environment);
	read_login(f, &none, false);
	must_be_clean(f);
	assert_null(value(f, "password")->servers);

	read_login(f, &none, true);
	problem(f, "'RECONCILE_SECRET_X' is not sent to 'https://reg.local': trusted settings");
	problem(f, "'key' is not sent to 'https://reg.local'");
	assert_int_equal(f->loaded.diags.n_errors, 0);
	assert_non_null(value(f, "password")->servers);
	assert_int_equal(value(f, "password")->servers->n, 0);
	assert_null(value(f, "username")->servers);

	put(f, "s.yaml",
	    LOGIN("{reconcile.dev/from-env: password=RECONCILE_SECRET_X}") "type: "
									   "kubernetes.io/"
									   "basic-auth\n");
	load(f);
	secrets_read(&(struct secrets_spec){ f->folder.dir.path, true, NULL, true },
		     &f->loaded.model, &f->loaded.diags);
	problem(f, "'RECONCILE_SECRET_X' is not sent to any server");

	for (int is_dry_run = 0; is_dry_run < 2; is_dry_run++) {
		read_login(f, &other, is_dry_run);
		problem(f, "'RECONCILE_SECRET_X' is not sent");
		assert_int_equal(value(f, "password")->servers->n, 0);
		read_login(f, &rules, is_dry_run);
		must_be_clean(f);
		assert_int_equal(value(f, "password")->servers->n, 2);
		assert_int_equal(value(f, "key")->servers->n, 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_load__finds_manifests_in_folders_and_nothing_hidden),
		TEST(test_load__follows_links_to_files_inside_the_folder_only),
		TEST(test_load__takes_one_file),
		TEST(test_load__reports_a_path_that_is_not_there),
		TEST(test_load__reads_standard_input),
		TEST(test_load__opens_lists),
		TEST(test_load__counts_what_is_left_out),
		TEST(test_load__lists_all_problems_in_order_of_file_and_line),
		TEST(test_load__makes_unknown_fields_errors_when_strict),
		TEST(test_load__limits_the_size_of_a_file),
		TEST(test_load__gives_the_same_with_any_number_of_threads),
		TEST(test_settings__of_the_folder_may_not_run_programs),
		TEST(test_settings__given_replace_those_of_the_folder),
		TEST(test_settings__given_are_shown_with_their_mistakes),
		TEST(test_load__takes_a_text_in_the_place_of_a_file),
		TEST(test_settings__of_the_user_say_what_the_folder_may_not),
		TEST(test_settings__come_one_at_a_time),
		TEST(test_secrets__come_from_variables_made_for_it),
		TEST(test_secrets__come_from_files_below_the_manifests),
		TEST(test_secrets__come_from_no_other_files),
		TEST(test_secrets__go_where_trusted_settings_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
