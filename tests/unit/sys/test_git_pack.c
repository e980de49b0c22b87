/* SPDX-License-Identifier: Apache-2.0 */
/* test_git_pack.c — git itself judges what we write, and we read what git wrote: packs, deltas,
 * loose objects, refs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_delta.h"
#include "buildexec/sys/git_export.h"
#include "buildexec/sys/git_pack.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/proc.h"
#include "model/base/vec.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct git_repo *repo;
	struct err err;
};

/* A shell line in the fixture's folder; its output without the last newline. Fails the test when it
 * fails. */
static char *sh(struct fixture *f, const char *script)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin",
					   "HOME=/nonexistent",
					   "GIT_CONFIG_NOSYSTEM=1",
					   "LC_ALL=C",
					   "GIT_AUTHOR_NAME=a",
					   "GIT_AUTHOR_EMAIL=a@b",
					   "GIT_COMMITTER_NAME=a",
					   "GIT_COMMITTER_EMAIL=a@b",
					   NULL };
	const char *argv[] = { "/bin/bash", "-ec", script, NULL };
	struct buf out = BUF_INIT(4 << 20), talk = BUF_INIT(1 << 20);
	struct proc_spec spec = {
		.argv = argv, .env = env, .cwd = f->dir.path, .out = &out, .err = &talk
	};
	struct proc_result result;
	char *text;

	if (!proc_run(&spec, &result, &f->err))
		fail_msg("%s", f->err.text);
	if (result.exit_code)
		fail_msg("'%s' failed: %s %s", script, buf_text(&out), buf_text(&talk));
	while (out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	text = buf_copy(&out, f->arena);
	buf_release(&out);
	buf_release(&talk);
	return text;
}

static void must(struct fixture *f, bool done)
{
	if (!done)
		fail_msg("%s", f->err.text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	if (!f || !tmpdir_make(NULL, "test-git", &f->dir, &f->err) ||
	    !git_repo_init(path_join(f->arena, f->dir.path, "r.git"), &f->repo, &f->err))
		return -1;
	sh(f, "git -C r.git symbolic-ref HEAD refs/heads/main");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	git_repo_close(&f->repo);
	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

struct edit {
	const char *path, *bytes; /* NULL: delete */
};

/* One commit of the edits onto `parent`, as refs/heads/main. */
static struct git_id commit(struct fixture *f, struct git_id parent, const struct edit *edits,
			    size_t n)
{
	struct git_pack *pack = git_pack_new();
	struct git_change *changes = arena_array(f->arena, n, sizeof(*changes));
	struct git_commit_spec spec = { .parent = parent,
					.name = "A <b>",
					.email = "a@b\n",
					.time_s = 1700000000,
					.message = "m" };
	struct git_id base = { 0 }, id;

	for (size_t i = 0; i < n; i++)
		changes[i] = (struct git_change){ edits[i].path, edits[i].bytes,
						  edits[i].bytes ? strlen(edits[i].bytes) : 0,
						  !edits[i].bytes };
	if (!git_id_is_none(&parent))
		must(f, git_tree_of_commit(git_repo_objects(f->repo), &parent, &base, &f->err));
	must(f, git_pack_edit(pack, git_repo_objects(f->repo), &base,
			      &(struct git_changes){ changes, n }, &spec.tree, &f->err));
	must(f, git_pack_add_commit(pack, &spec, &id, &f->err));
	must(f, git_pack_store(pack, git_repo_objects_path(f->repo), &f->err));
	must(f, git_repo_swap_ref(f->repo, "refs/heads/main", &parent, &id, &f->err));
	git_pack_free(&pack);
	return id;
}

static void test_git_pack__is_accepted_by_git_fsck_and_index_pack(void **state)
{
	static const struct edit first[] = { { "a.b", "1" }, { "a/x", "2" },    { "a-b/y", "3" },
					     { "a0", "4" },  { "z/q/r/s", "" }, { "same", "1" } };
	struct fixture *f = *state;
	struct git_id id = commit(f, (struct git_id){ 0 }, first, COUNTOF(first));

	assert_string_equal(sh(f, "git -C r.git fsck --strict --full --no-dangling 2>&1; for p in "
				  "r.git/objects/pack/*.pack; do git index-pack --strict "
				  "--verify $p; done"),
			    "");
	assert_string_equal(sh(f, "git -C r.git ls-tree -r --name-only main"),
			    "a-b/y\na.b\na/x\na0\nsame\nz/q/r/s");
	assert_string_equal(sh(f, "git -C r.git rev-parse main"), id.hex);
	assert_string_equal(sh(f, "git -C r.git log -1 --format='%an|%ae|%at|%s'"),
			    "A -b-|a@b-|1700000000|m");
	assert_string_equal(sh(f, "git -C r.git show main:a-b/y"), "3");
}

static void test_git_pack_edit__replaces_deletes_and_prunes(void **state)
{
	static const struct edit first[] = {
		{ "d/e/f", "1" }, { "d/g", "2" }, { "k", "3" }, { "m/n", "4" }
	};
	static const struct edit second[] = { { "d/e/f", NULL },
					      { "k", NULL },
					      { "k/file-to-folder", "5" },
					      { "m", NULL },
					      { "m", "" } };
	static const struct edit third[] = { { "d/e", NULL },   { "d/g", "2b" },
					     { "k", NULL },     { "absent/x", NULL },
					     { "m/n/o", NULL }, { "new/a/b", "6" } };
	struct fixture *f = *state;
	struct git_id id = commit(f, (struct git_id){ 0 }, first, COUNTOF(first));

	id = commit(f, id, second, 4);
	assert_string_equal(sh(f, "git -C r.git ls-tree -r --name-only main"),
			    "d/g\nk/file-to-folder");
	id = commit(f, id, third, COUNTOF(third));
	assert_string_equal(
		sh(f, "git -C r.git ls-tree -r --name-only main; git -C r.git show main:d/g"),
		"d/g\nnew/a/b\n2b");
	assert_string_equal(sh(f, "git -C r.git fsck --strict --full --no-dangling 2>&1"), "");
}

static void test_git_pack_edit__keeps_files_below_which_nothing_was(void **state)
{
	static const struct edit first[] = { { "m", "1" } };
	static const struct edit second[] = { { "m/n/o", NULL }, { "x", "2" } };
	struct fixture *f = *state;
	struct git_id id = commit(f, (struct git_id){ 0 }, first, 1);

	commit(f, id, second, 2);
	assert_string_equal(sh(f, "git -C r.git ls-tree -r --name-only main"), "m\nx");
}

static void test_git_pack_edit__adds_nothing_when_nothing_changes(void **state)
{
	static const struct edit first[] = { { "a/b", "1" }, { "c", "2" } };
	struct fixture *f = *state;
	struct git_id id = commit(f, (struct git_id){ 0 }, first, 2), tree, after;
	struct git_pack *pack = git_pack_new();
	struct git_change same[] = { { "a/b", "1", 1, false }, { "q", NULL, 0, true } };

	must(f, git_tree_of_commit(git_repo_objects(f->repo), &id, &tree, &f->err));
	must(f, git_pack_edit(pack, git_repo_objects(f->repo), &tree,
			      &(struct git_changes){ same, 2 }, &after, &f->err));
	assert_string_equal(after.hex, tree.hex);
	assert_int_equal(git_pack_n(pack), 0);
	git_pack_free(&pack);
}

static void test_git_pack_edit__refuses_paths_that_leave_or_hurt(void **state)
{
	static const char *const bad[] = {
		"../x",      "/x", "a//b", "a/./b", ".git/config", "a/.GIT/x",
		"a/.git./x", "",   "a/",   "a\nb",  "a/git~1",     "a/.g\xe2\x80\x8cit"
	};
	struct fixture *f = *state;
	struct git_pack *pack = git_pack_new();
	struct git_id none = { 0 }, tree;

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct git_change change = { bad[i], "x", 1, false };
		struct err err = { 0 };

		if (git_pack_edit(pack, git_repo_objects(f->repo), &none,
				  &(struct git_changes){ &change, 1 }, &tree, &err))
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
	git_pack_free(&pack);
}

static void test_git_objects__reads_deltas_loose_objects_and_alternates_as_git_does(void **state)
{
	struct fixture *f = *state;
	struct git_repo *repo;
	struct git_objects *objects;
	const char *line;
	size_t n = 0;

	sh(f,
	   "git init -q w && cd w && for i in $(seq 40); do seq $((i*7)) 3000 > f; seq $i > g$i; "
	   "git add . && git commit -qm c$i; done;"
	   "git tag -a v1 -m t; git repack -adfq --depth=30 --window=20; echo loose > l; git add "
	   "l; git commit -qm l;"
	   "git clone -q --shared . ../s; cd ../s; echo own > o; git add o; git commit -qm o;"
	   "git cat-file --batch-check --batch-all-objects > ../all; git cat-file "
	   "--batch-check='%(objectname)' --batch-all-objects | git cat-file --batch > ../bytes");
	must(f, git_repo_open(path_join(f->arena, f->dir.path, "s"), false, &repo, &f->err));
	objects = git_repo_objects(repo);
	for (line = sh(f, "cat all"); *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned char raw[GIT_ID_RAW], again[GIT_ID_RAW];
		struct git_data data;
		struct git_id id;

		assert_true(git_id_parse(line, GIT_ID_HEX, &id));
		git_id_to_raw(&id, raw);
		must(f, git_objects_read(objects, raw, 1 << 20, f->arena, &data, &f->err));
		assert_int_equal(data.type, git_type_parse(line + 41, strcspn(line + 41, " ")));
		git_id_hash(data.type, data.bytes, data.n, again);
		assert_memory_equal(raw, again, GIT_ID_RAW);
		n++;
	}
	assert_true(n > 150);
	git_repo_close(&repo);
}

static void test_git_objects__says_absent_and_damaged(void **state)
{
	struct fixture *f = *state;
	unsigned char raw[GIT_ID_RAW] = { 1, 2, 3 };
	struct git_data data;
	struct git_id id;

	must(f, git_objects_read(git_repo_objects(f->repo), raw, 100, f->arena, &data, &f->err));
	assert_int_equal(data.type, GIT_TYPE_NONE);
	assert_false(git_objects_need(git_repo_objects(f->repo), raw, GIT_TYPE_BLOB, f->arena,
				      &data, &f->err));
	assert_int_equal(f->err.kind, ERR_ABSENT);
	id = commit(f, (struct git_id){ 0 },
		    (struct edit[]){ { "a", "some longer text that deflates" } }, 1);
	sh(f, "p=$(ls r.git/objects/pack/*.pack); chmod u+w $p; printf "
	      "'\\377\\377\\377\\377\\377\\377' | dd of=$p bs=1 seek=14 conv=notrunc status=none");
	git_repo_close(&f->repo);
	must(f, git_repo_open(path_join(f->arena, f->dir.path, "r.git"), false, &f->repo, &f->err));
	{
		struct git_id tree, blob;

		if (git_tree_of_commit(git_repo_objects(f->repo), &id, &tree, &f->err) &&
		    git_find_path(git_repo_objects(f->repo), &tree, "a", &blob, NULL, &f->err)) {
			git_id_to_raw(&blob, raw);
			assert_false(git_objects_need(git_repo_objects(f->repo), raw, GIT_TYPE_BLOB,
						      f->arena, &data, &f->err));
		}
		assert_int_equal(f->err.kind, ERR_INVALID);
	}
}

static void test_git_delta__refuses_what_reaches_outside(void **state)
{
	static const struct {
		const char *delta;
		size_t n;
	} bad[] = {
		{ "\x04\x05\x91\x00\x05", 5 }, /* copies 5 of a base of 4 */
		{ "\x04\x05\x91\x04\x01", 5 }, /* from its end */
		{ "\x04\x02\x05"
		  "ab",
		  5 }, /* inserts more than there is */
		{ "\x04\x01\x02"
		  "ab",
		  5 }, /* makes more than it said */
		{ "\x04\x03\x02"
		  "ab",
		  5 },                 /* makes less */
		{ "\x04\x01\x00", 3 }, /* the reserved operation */
		{ "\x05\x01\x01"
		  "a",
		  4 }, /* another base */
		{ "\x04", 1 },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		size_t n = 0;

		if (git_delta_size((const unsigned char *)bad[i].delta, bad[i].n, 4, &n) &&
		    n <= sizeof(out))
			assert_false(git_delta_apply((const unsigned char *)bad[i].delta, bad[i].n,
						     "base", 4, out, n));
	}
	assert_true(git_delta_apply((const unsigned char *)"\x04\x06\x02xy\x90\x04", 7, "base", 4,
				    out, 6));
	assert_memory_equal(out, "xybase", 6);
}

static void test_git_repo__swaps_a_ref_only_from_the_value_it_was_told(void **state)
{
	struct fixture *f = *state;
	struct git_id none = { 0 }, a = commit(f, none, (struct edit[]){ { "a", "1" } }, 1), b, now;

	b = commit(f, a, (struct edit[]){ { "a", "2" } }, 1);
	assert_false(git_repo_swap_ref(f->repo, "refs/heads/main", &a, &b, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_false(git_repo_swap_ref(f->repo, "refs/heads/main", &none, &b, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	sh(f, "git -C r.git pack-refs --all; test ! -e r.git/refs/heads/main");
	assert_false(git_repo_swap_ref(f->repo, "refs/heads/main", &a, &b, &f->err));
	must(f, git_repo_swap_ref(f->repo, "refs/heads/main", &b, &a, &f->err));
	must(f, git_repo_read_ref(f->repo, "refs/heads/main", &now, &f->err));
	assert_string_equal(now.hex, a.hex);
	must(f, git_repo_swap_ref(f->repo, "refs/heads/deep/er/branch", &none, &a, &f->err));
	assert_false(git_repo_swap_ref(f->repo, "refs/heads/main/below", &none, &a, &f->err));
	assert_false(git_repo_swap_ref(f->repo, "refs/heads/deep", &none, &a, &f->err));
	assert_string_equal(
		sh(f, "find r.git -name 'reconcile-ref*' -o -name '*.lock' ! -name reconcile.lock"),
		"");
}

static void test_git_repo__clears_a_lock_that_a_dead_process_of_ours_left(void **state)
{
	struct fixture *f = *state;
	struct git_id none = { 0 }, a = commit(f, none, (struct edit[]){ { "a", "1" } }, 1), b;
	unsigned char hash[GIT_ID_RAW];
	char *temp;

	git_id_hash(GIT_TYPE_BLOB, "refs/heads/main", 15, hash);
	temp = arena_printf(f->arena,
			    "echo %s > r.git/reconcile-ref-%.12s-AbCdEf; ln "
			    "r.git/reconcile-ref-*-AbCdEf r.git/refs/heads/main.lock",
			    a.hex, git_id_from_raw(hash).hex);
	sh(f, temp);
	b = commit(f, a, (struct edit[]){ { "a", "2" } }, 1);
	assert_string_equal(
		sh(f, "git -C r.git rev-parse main; ls r.git | grep -c reconcile-ref || true"),
		arena_printf(f->arena, "%s\n0", b.hex));
}

/* A temporary file alone, one that became a lock, one that became a ref, one with another name elsewhere; one whose writer lives. */
static void test_git_repo__sweeps_what_dead_writers_left(void **state)
{
	struct fixture *f = *state;
	struct git_id none = { 0 }, a = commit(f, none, (struct edit[]){ { "a", "1" } }, 1);
	AUTO_FD lock = -1;

	sh(f, "cd r.git; touch reconcile-ref-000000000000-alone reconcile-ref-000000000001-lock "
	      "reconcile-ref-000000000002-apart; mkdir -p refs/heads/deep;"
	      "ln reconcile-ref-000000000001-lock refs/heads/deep/branch.lock;"
	      "ln refs/heads/main reconcile-ref-000000000003-main;"
	      "ln reconcile-ref-000000000002-apart elsewhere; touch refs/heads/other.lock");
	must(f, git_repo_lock(f->repo, 0, &lock, &f->err));
	git_repo_sweep(f->repo);
	assert_string_equal(sh(f, "ls r.git | grep -c reconcile-ref"), "4");
	fd_close(&lock);
	git_repo_sweep(f->repo);
	assert_string_equal(sh(f, "ls r.git | grep reconcile-ref"),
			    "reconcile-ref-000000000002-apart");
	assert_string_equal(sh(f, "find r.git/refs -name '*.lock'"), "r.git/refs/heads/other.lock");
	assert_string_equal(sh(f, "git -C r.git rev-parse main"), a.hex);
}

static void test_git_repo__lists_refs_with_peeled_tags(void **state)
{
	struct fixture *f = *state;
	struct git_id a = commit(f, (struct git_id){ 0 }, (struct edit[]){ { "a", "1" } }, 1);
	struct strings prefixes = { 0 };
	struct git_refs refs;

	sh(f, "cd r.git; git symbolic-ref HEAD refs/heads/main; git tag -a -m x v1 main; git tag "
	      "-a -m y v2 v1; git tag plain main; git pack-refs --all; git branch other main");
	must(f, git_repo_list_refs(f->repo, NULL, f->arena, &refs, &f->err));
	assert_int_equal(refs.n, 6);
	assert_string_equal(refs.v[0].name, "HEAD");
	assert_string_equal(refs.v[0].target, "refs/heads/main");
	vec_push(f->arena, &prefixes, "refs/tags/v");
	must(f, git_repo_list_refs(f->repo, &prefixes, f->arena, &refs, &f->err));
	assert_int_equal(refs.n, 2);
	assert_string_equal(refs.v[1].peeled.hex, a.hex);
	assert_string_equal(refs.v[1].id.hex, sh(f, "git -C r.git rev-parse v2"));
}

static void test_git_export__writes_modes_links_and_submodules(void **state)
{
	struct fixture *f = *state;
	struct git_export_result result;
	struct git_repo *repo;
	struct git_id id, tree, sub;
	struct git_data data;

	sh(f,
	   "git init -q w; cd w; mkdir -p d/e; echo f > d/e/f; echo x > x; chmod 755 x; ln -s "
	   "../out l; printf 'a\\\\b' > 'a\\b';"
	   "git add .; git update-index --add --cacheinfo "
	   "160000,1111111111111111111111111111111111111111,mod; git commit -qm c; mkdir ../out");
	must(f, git_repo_open(path_join(f->arena, f->dir.path, "w/d"), true, &repo, &f->err));
	must(f, git_repo_read_ref(repo, "HEAD", &id, &f->err));
	must(f, git_tree_of_commit(git_repo_objects(repo), &id, &tree, &f->err));
	must(f,
	     git_export_tree(git_repo_objects(repo), &tree, path_join(f->arena, f->dir.path, "out"),
			     f->arena, &result, &f->err));
	assert_string_equal(sh(f, "cd out; find . -mindepth 1 -printf '%P %y %m %l\\n' | sort"),
			    "a\\b f 644 \nd d 755 \nd/e d 755 \nd/e/f f 644 \nl l 777 ../out\nmod "
			    "d 755 \nx f 755 ");
	assert_int_equal(result.submodules.n, 1);
	assert_string_equal(result.submodules.v[0].path, "mod");
	must(f, git_find_path(git_repo_objects(repo), &tree, "d/e", &sub, NULL, &f->err));
	assert_string_equal(sub.hex, sh(f, "git -C w rev-parse HEAD:d/e"));
	must(f, git_find_path(git_repo_objects(repo), &tree, "d/none/e", &sub, NULL, &f->err));
	assert_true(git_id_is_none(&sub));
	must(f,
	     git_find_path(git_repo_objects(repo), &tree, "x/below-a-file", &sub, NULL, &f->err));
	assert_true(git_id_is_none(&sub));
	must(f, git_read_path(git_repo_objects(repo), &tree, "d/e/f", f->arena, &data, &f->err));
	assert_string_equal(data.bytes, "f\n");
	git_repo_close(&repo);
}

static void test_git_export__refuses_hostile_names(void **state)
{
	static const char *const names[] = { "..",    ".",    ".git", ".GiT",        "git~1",
					     ".git ", "a\nb", "a/b",  ".git::$INDEX" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct git_pack *pack = git_pack_new();
		struct git_export_result result;
		unsigned char raw[GIT_ID_RAW];
		AUTO_BUF tree = BUF_INIT(4096);
		struct git_id id;

		must(f, git_pack_add(pack, GIT_TYPE_BLOB, "x", 1, raw, &f->err));
		buf_printf(&tree, "100644 %s", names[i]);
		buf_byte(&tree, '\0');
		buf_add(&tree, raw, GIT_ID_RAW);
		must(f, git_pack_add(pack, GIT_TYPE_TREE, tree.data, tree.len, raw, &f->err));
		id = git_id_from_raw(raw);
		must(f, git_pack_store(pack, git_repo_objects_path(f->repo), &f->err));
		git_pack_free(&pack);
		sh(f, "rm -rf out; mkdir out");
		if (git_export_tree(git_repo_objects(f->repo), &id,
				    path_join(f->arena, f->dir.path, "out"), f->arena, &result,
				    &f->err))
			fail_msg("'%s' was written", names[i]);
		assert_int_equal(f->err.kind, ERR_INVALID);
	}
}

static void test_git_fold__keeps_every_object_in_few_packs(void **state)
{
	struct fixture *f = *state;
	struct git_id id = { 0 };

	for (int i = 0; i < 120; i++) {
		char *text = arena_printf(f->arena, "%d", i);

		id = commit(f, id,
			    (struct edit[]){ { "a/b", text },
					     { arena_printf(f->arena, "n/%d", i), text } },
			    2);
		must(f, git_pack_fold(git_repo_objects_path(f->repo), &f->err));
	}
	sh(f, "cp -r r.git other.git; test $(ls r.git/objects/pack/*.pack | wc -l) -le 51; test "
	      "$(ls r.git/objects/pack/*.idx | wc -l) -le 51");
	assert_string_equal(
		sh(f, "git -C r.git fsck --strict --full --no-dangling 2>&1; git -C r.git rev-list "
		      "main | wc -l; git -C r.git rev-parse main"),
		arena_printf(f->arena, "120\n%s", id.hex));
}

static void test_git_fold__leaves_packs_of_others_alone(void **state)
{
	struct fixture *f = *state;
	struct git_id id = { 0 };
	char *before;

	for (int i = 0; i < 60; i++)
		id = commit(f, id, (struct edit[]){ { "a", arena_printf(f->arena, "%d", i) } }, 1);
	sh(f, "git -C r.git repack -adq; git -C r.git gc -q");
	before = sh(f, "ls r.git/objects/pack/*.pack");
	for (int i = 0; i < 30; i++)
		id = commit(f, id, (struct edit[]){ { "a", arena_printf(f->arena, "x%d", i) } }, 1);
	must(f, git_pack_fold(git_repo_objects_path(f->repo), &f->err));
	sh(f, arena_printf(f->arena, "test -e %s", before));
	assert_string_equal(sh(f, "git -C r.git fsck --strict --full --no-dangling 2>&1; git -C "
				  "r.git rev-list main | wc -l"),
			    "90");
}

/* An index that promises what its pack has not: bytes behind its end, or another entry's, went into the new pack. */
static void test_git_fold__leaves_a_damaged_index_alone(void **state)
{
	static const char *const damages[] = {
		/* The first entry's place. */
		"printf '\\x7f\\xff\\xff\\xff' | dd of=$i bs=1 seek=$((n - 40 - 4 * c)) "
		"conv=notrunc status=none",
		"dd if=$i of=$i bs=1 count=4 skip=$((n - 40 - 4)) seek=$((n - 40 - 4 * c)) "
		"conv=notrunc status=none",
		"truncate -s 100 $i",
	};
	struct fixture *f = *state;

	for (size_t k = 0; k < COUNTOF(damages); k++) {
		struct git_id id = { 0 };

		git_repo_close(&f->repo);
		sh(f, "rm -rf r.git");
		must(f,
		     git_repo_init(path_join(f->arena, f->dir.path, "r.git"), &f->repo, &f->err));
		for (int i = 0; i <= GIT_PACKS_MAX; i++)
			id = commit(f, id,
				    (struct edit[]){ { "a", arena_printf(f->arena, "%d", i) } }, 1);
		sh(f, arena_printf(f->arena,
				   "i=$(ls r.git/objects/pack/*.idx | head -n 1); n=$(stat -c %%s "
				   "$i); c=3; chmod u+w $i; %s; echo $i > damaged; sum=$(head -c "
				   "$((n - 20)) $i | sha1sum); cp $i copy",
				   damages[k]));
		/* Its own sum may be right, as a hostile one's is. */
		if (k < 2)
			sh(f, "i=$(cat damaged); n=$(stat -c %s $i); head -c $((n - 20)) $i | "
			      "sha1sum | cut -c 1-40 | sed 's/../\\\\x&/g' > sum; printf "
			      "\"$(cat sum)\" | dd of=$i bs=1 seek=$((n - 20)) conv=notrunc "
			      "status=none; cp $i copy");
		must(f, git_pack_fold(git_repo_objects_path(f->repo), &f->err));
		sh(f, "cmp $(cat damaged) copy; test -e $(sed 's/idx$/pack/' damaged); test $(ls "
		      "r.git/objects/pack/*.idx | wc -l) -lt 5");
		/* Everything is still there for whoever makes the index anew. */
		sh(f, "rm -f $(cat damaged); git -C r.git index-pack "
		      "$(realpath $(sed 's/idx$/pack/' damaged)); git -C r.git fsck --strict "
		      "--full --no-dangling 2>&1");
	}
}

int main(void)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git_pack__is_accepted_by_git_fsck_and_index_pack),
		cmocka_unit_test(test_git_pack_edit__replaces_deletes_and_prunes),
		cmocka_unit_test(test_git_pack_edit__keeps_files_below_which_nothing_was),
		cmocka_unit_test(test_git_pack_edit__adds_nothing_when_nothing_changes),
		cmocka_unit_test(test_git_pack_edit__refuses_paths_that_leave_or_hurt),
		cmocka_unit_test(
			test_git_objects__reads_deltas_loose_objects_and_alternates_as_git_does),
		cmocka_unit_test(test_git_objects__says_absent_and_damaged),
		cmocka_unit_test(test_git_delta__refuses_what_reaches_outside),
		cmocka_unit_test(test_git_repo__swaps_a_ref_only_from_the_value_it_was_told),
		cmocka_unit_test(test_git_repo__clears_a_lock_that_a_dead_process_of_ours_left),
		cmocka_unit_test(test_git_repo__sweeps_what_dead_writers_left),
		cmocka_unit_test(test_git_repo__lists_refs_with_peeled_tags),
		cmocka_unit_test(test_git_export__writes_modes_links_and_submodules),
		cmocka_unit_test(test_git_export__refuses_hostile_names),
		cmocka_unit_test(test_git_fold__keeps_every_object_in_few_packs),
		cmocka_unit_test(test_git_fold__leaves_packs_of_others_alone),
		cmocka_unit_test(test_git_fold__leaves_a_damaged_index_alone),
	};
	struct CMUnitTest with_fixture[COUNTOF(tests)];

	if (access("/usr/bin/git", X_OK) < 0) {
		fprintf(stderr, "skipped: there is no git program here\n");
		return 77;
	}
	proc_set_environment(env);
	for (size_t i = 0; i < COUNTOF(tests); i++) {
		with_fixture[i] = tests[i];
		with_fixture[i].setup_func = setup;
		with_fixture[i].teardown_func = teardown;
	}
	return cmocka_run_group_tests(with_fixture, NULL, NULL);
}
