/* SPDX-License-Identifier: Apache-2.0 */
/* test_layout.c — repositories in folders: what others read in them, many writers at once, and writers that are killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/registry/registry.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "lib/servers.h"
#include "unit/registry/images.h"

static char dir[64];
static struct arena *arena;
static struct registry_rules rules;
static struct registry *registry;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	test_dir_make(dir, sizeof(dir));
	arena = arena_new();
	rules = (struct registry_rules){ 0 };
	vec_push(arena, &rules.list,
		 (struct registry_rule){ .prefix = "local.test", .layout = dir });
	return registry_open(&rules, NULL, &registry, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(&registry);
	arena_free(arena);
	test_dir_remove(dir);
	return 0;
}

static struct ref ref_of(const char *text)
{
	struct ref ref;
	struct err err = { 0 };

	assert_true(ref_parse(text, arena, &ref, &err));
	return ref;
}

static void push(const char *text, const struct test_image *image)
{
	struct ref ref = ref_of(text);
	struct err err = { 0 };

	if (!test_image_push(registry, &ref, image, &err))
		fail_msg("%s: %s", text, err.text);
}

static void assert_resolves(const char *text, const char *digest)
{
	struct ref ref = ref_of(text);
	struct descriptor desc;
	struct err err = { 0 };

	if (!registry_resolve(registry, &ref, arena, &desc, &err))
		fail_msg("%s: %s", text, err.text);
	if (digest)
		assert_string_equal(desc.digest, digest);
	else
		assert_null(desc.digest);
}

static void test_layout__gives_back_what_was_put(void **state)
{
	struct test_image image = test_image_make(arena, "hello");
	struct ref ref = ref_of("local.test/a/b:v1");
	const struct platform host = platform_host();
	struct remote_image read;
	struct err err = { 0 };
	struct strings tags;
	bool has;

	(void)state;
	assert_resolves("local.test/a/b:v1", NULL);
	assert_false(registry_list_tags(registry, &ref, arena, &tags, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	push("local.test/a/b:v1", &image);
	push("local.test/a/b:v2", &image);
	/* A repository below another one. */
	push("local.test/a:v3", &image);
	assert_resolves("local.test/a/b:v1", image.manifest.digest);
	assert_resolves("local.test/a/b:nope", NULL);
	assert_resolves(ref_pinned(&ref, image.manifest.digest, arena), image.manifest.digest);
	if (!registry_read_image(registry, &ref, &host, arena, &read, &err))
		fail_msg("%s", err.text);
	assert_string_equal(read.ref.digest, image.manifest.digest);
	assert_string_equal(read.top_digest, image.manifest.digest);
	assert_string_equal(read.config.cmd.v[0], "/content");
	assert_true(registry_list_tags(registry, &ref, arena, &tags, &err));
	assert_int_equal(tags.n, 2);
	assert_true(registry_has_blob(registry, &ref, image.layer.digest, &has, &err));
	assert_true(has);
	assert_true(registry_check_write(registry, &ref, &err));
}

static void test_layout__moves_a_tag_and_keeps_what_it_was(void **state)
{
	struct test_image one = test_image_make(arena, "one"), two = test_image_make(arena, "two");
	struct ref ref = ref_of("local.test/moving:t");

	(void)state;
	push("local.test/moving:t", &one);
	push("local.test/moving:other", &one);
	push("local.test/moving:t", &two);
	assert_resolves("local.test/moving:t", two.manifest.digest);
	assert_resolves("local.test/moving:other", one.manifest.digest);
	assert_resolves(ref_pinned(&ref, one.manifest.digest, arena), one.manifest.digest);
}

static void test_layout__is_what_skopeo_and_umoci_read(void **state)
{
	struct test_image image = test_image_make(arena, "for others");
	const char *layout = arena_printf(arena, "%s/local.test/others", dir);
	const char *script = "set -e; cd \"$0\"; [ \"$(skopeo inspect --format '{{.Digest}}' "
			     "oci:$1:v1)\" = $2 ]; "
			     "umoci unpack --rootless --image $1:v1 bundle >/dev/null; "
			     "[ \"$(cat bundle/rootfs/content)\" = 'for others' ]; "
			     "skopeo copy -q oci:$1:v1 oci:$1:from-skopeo";
	const char *const argv[] = {
		"bash", "-c", script, dir, layout, image.manifest.digest, NULL
	};

	(void)state;
	if (!has_program("skopeo") || !has_program("umoci")) {
		puts("needs skopeo and umoci");
		skip();
	}
	push("local.test/others:v1", &image);
	test_run(argv);
	/* And what skopeo wrote is ours to read; the entries of both stay. */
	assert_resolves("local.test/others:from-skopeo", image.manifest.digest);
	push("local.test/others:v2", &image);
	assert_resolves("local.test/others:from-skopeo", image.manifest.digest);
}

static void test_layout__shares_blobs_between_repositories(void **state)
{
	struct test_image image = test_image_make(arena, "shared");
	struct ref from = ref_of("local.test/from:t"), to = ref_of("local.test/to:t");
	const char *hex = digest_hex(image.layer.digest);
	struct stat a, b;
	struct err err = { 0 };
	bool done;

	(void)state;
	assert_true(registry_mount_blob(registry, &from, &to, &image.layer, &done, &err));
	assert_false(done);
	push("local.test/from:t", &image);
	assert_true(registry_copy(registry, &from, &to, &err));
	assert_resolves("local.test/to:t", image.manifest.digest);
	assert_int_equal(
		stat(arena_printf(arena, "%s/local.test/from/blobs/sha256/%s", dir, hex), &a), 0);
	assert_int_equal(
		stat(arena_printf(arena, "%s/local.test/to/blobs/sha256/%s", dir, hex), &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
}

static void test_layout__refuses_bytes_that_are_not_what_they_are_called(void **state)
{
	struct test_image image = test_image_make(arena, "honest"),
			  other = test_image_make(arena, "forged");
	struct ref ref = ref_of("local.test/wrong:t");
	const char *path = arena_printf(arena, "%s/local.test/wrong/blobs/sha256/%s", dir,
					digest_hex(image.layer.digest));
	const char *manifest = arena_printf(arena, "%s/local.test/wrong/blobs/sha256/%s", dir,
					    digest_hex(image.manifest.digest));
	struct descriptor desc;
	struct err err = { 0 };
	char *bytes;

	(void)state;
	assert_false(
		registry_put_blob(registry, &ref, &image.layer, other.layer_bytes, NULL, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_false(fs_exists(path));
	push("local.test/wrong:t", &image);
	assert_true(fs_write_atomic(AT_FDCWD, path, other.layer_bytes,
				    (size_t)other.layer.size_bytes, 0644, false, &err));
	assert_false(registry_get_blob(registry, &ref, &image.layer, arena, &bytes, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_null(bytes);
	assert_false(registry_fetch_blob(registry, &ref, &image.layer,
					 arena_printf(arena, "%s/fetched", dir), &err));
	assert_false(fs_exists(arena_printf(arena, "%s/fetched", dir)));
	assert_true(fs_write_atomic(AT_FDCWD, manifest, "{}", 2, 0644, false, &err));
	assert_false(registry_get_manifest(registry, &ref, arena, &desc, &bytes, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_layout__names_a_broken_index(void **state)
{
	static const struct {
		const char *json, *part;
	} rows[] = {
		{ "{", "line 1" },
		{ "{}", "no list 'manifests'" },
		{ "{\"manifests\":[{\"digest\":\"sha256:../../etc\",\"size\":1,\"mediaType\":\"x\","
		  "\"annotations\":{\"org.opencontainers.image.ref.name\":\"t\"}}]}",
		  "no valid type, digest and size" },
	};
	const char *folder = arena_printf(arena, "%s/local.test/broken", dir);
	struct ref ref = ref_of("local.test/broken:t");

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct descriptor desc;
		struct err err = { 0 };

		assert_true(fs_make_dirs(folder, 0755, &err));
		assert_true(fs_write_atomic(AT_FDCWD, path_join(arena, folder, "index.json"),
					    rows[i].json, strlen(rows[i].json), 0644, false, &err));
		assert_false(registry_resolve(registry, &ref, arena, &desc, &err));
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s", err.text);
	}
}

enum { WRITERS = 6, TAGS_EACH = 12 };

static void *write_tags(void *arg)
{
	const int me = (int)(intptr_t)arg;
	struct arena *own = arena_new();
	struct registry *handle;
	struct err err = { 0 };
	intptr_t n_failed = 0;

	if (!registry_open(&rules, NULL, &handle, &err))
		return (void *)(intptr_t)-1;
	for (int i = 0; i < TAGS_EACH; i++) {
		struct test_image image = test_image_make(own, arena_printf(own, "%d", i % 4));
		struct ref ref;

		n_failed += !ref_parse(arena_printf(own, "local.test/busy:w%d-%d", me, i), own,
				       &ref, &err) ||
			    !test_image_push(handle, &ref, &image, &err);
	}
	registry_close(&handle);
	arena_free(own);
	return (void *)n_failed;
}

static void test_layout__many_writers_lose_no_tag(void **state)
{
	struct ref ref = ref_of("local.test/busy:x");
	pthread_t threads[WRITERS];
	struct strings tags;
	struct err err = { 0 };

	(void)state;
	for (intptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_tags, (void *)i), 0);
	for (int i = 0; i < WRITERS; i++) {
		void *n_failed;

		pthread_join(threads[i], &n_failed);
		assert_null(n_failed);
	}
	assert_true(registry_list_tags(registry, &ref, arena, &tags, &err));
	assert_int_equal(tags.n, WRITERS * TAGS_EACH);
}

/* Pushes until it is killed. */
static _Noreturn void push_for_ever(void)
{
	struct registry *handle;
	struct err err = { 0 };

	if (!registry_open(&rules, NULL, &handle, &err))
		_exit(1);
	for (int i = 0;; i++) {
		struct arena *own = arena_new();
		struct test_image image = test_image_make(own, arena_printf(own, "%d", i));
		struct ref ref;

		if (!ref_parse(arena_printf(own, "local.test/killed:t%d", i), own, &ref, &err) ||
		    !test_image_push(handle, &ref, &image, &err))
			_exit(1);
		arena_free(own);
	}
}

static void test_layout__a_kill_leaves_whole_images(void **state)
{
	const struct platform host = platform_host();
	struct ref ref = ref_of("local.test/killed:x");
	struct strings tags = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			push_for_ever();
		clock_sleep_ms(5 + 7 * i);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
	}
	assert_true(registry_list_tags(registry, &ref, arena, &tags, &err));
	assert_true(tags.n > 0);
	for (size_t i = 0; i < tags.n; i++) {
		struct remote_image image;
		char *bytes;

		ref = ref_of(arena_printf(arena, "local.test/killed:%s", tags.v[i]));
		if (!registry_read_image(registry, &ref, &host, arena, &image, &err) ||
		    !registry_get_blob(registry, &ref, &image.manifest.layers[0], arena, &bytes,
				       &err))
			fail_msg("%s", err.text);
	}
}

static void test_layout__sweeps_what_a_kill_left(void **state)
{
	struct test_image image = test_image_make(arena, "swept");
	const char *folder = arena_printf(arena, "%s/local.test/swept", dir);
	const char *dead[] = { ".tmp-0", ".tmp-7", "oci-layout.tmp-1" };
	char living[PATH_MAX];
	int fd;

	(void)state;
	push("local.test/swept:a", &image);
	fd = fs_open_temp(AT_FDCWD, path_join(arena, folder, "index.json"), O_WRONLY, 0644, living);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
		close(open(path_join(arena, folder, dead[i]), O_WRONLY | O_CREAT, 0644));
	push("local.test/swept:b", &image);
	assert_true(fs_exists(living));
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
		assert_false(fs_exists(path_join(arena, folder, dead[i])));
	close(fd);
	push("local.test/swept:c", &image);
	assert_false(fs_exists(living));
}

/* Whoever made the folder: what waits for a writer, or leads elsewhere, is none of its files. */
static void test_layout__reads_plain_files_alone(void **state)
{
	const struct test_image image = test_image_make(arena, "plain");
	const char *const names[] = {
		"index.json",
		arena_printf(arena, "blobs/sha256/%s", digest_hex(image.manifest.digest)),
		arena_printf(arena, "blobs/sha256/%s", digest_hex(image.config.digest)),
	};

	(void)state;
	push("local.test/plain/x:1", &image);
	for (size_t i = 0; i < COUNTOF(names); i++)
		for (int is_link = 0; is_link < 2; is_link++) {
			char *path = arena_printf(arena, "%s/local.test/plain/x/%s", dir, names[i]);
			char *aside = arena_printf(arena, "%s.aside", path), *bytes;
			struct ref ref = ref_of("local.test/plain/x:1");
			struct descriptor desc;
			struct err err = { 0 };

			assert_int_equal(rename(path, aside), 0);
			assert_int_equal(is_link ? symlink(aside, path) : mkfifo(path, 0600), 0);
			alarm(20);
			assert_false(
				registry_get_manifest(registry, &ref, arena, &desc, &bytes, &err) &&
				registry_get_blob(registry, &ref, &image.config, arena, &bytes,
						  &err));
			alarm(0);
			assert_int_equal(err.kind, i == 2 && is_link ? ERR_SYSTEM : ERR_INVALID);
			assert_int_equal(rename(aside, path), 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout__gives_back_what_was_put),
		cmocka_unit_test(test_layout__moves_a_tag_and_keeps_what_it_was),
		cmocka_unit_test(test_layout__is_what_skopeo_and_umoci_read),
		cmocka_unit_test(test_layout__shares_blobs_between_repositories),
		cmocka_unit_test(test_layout__refuses_bytes_that_are_not_what_they_are_called),
		cmocka_unit_test(test_layout__names_a_broken_index),
		cmocka_unit_test(test_layout__reads_plain_files_alone),
		cmocka_unit_test(test_layout__many_writers_lose_no_tag),
		cmocka_unit_test(test_layout__a_kill_leaves_whole_images),
		cmocka_unit_test(test_layout__sweeps_what_a_kill_left),
	};

	return cmocka_run_group_tests_name("layout", tests, set_up, tear_down);
}
