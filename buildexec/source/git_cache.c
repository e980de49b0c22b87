/* SPDX-License-Identifier: Apache-2.0 */
/* git_cache.c — the folder is named after the repository's identity, so that every spelling of a URL shares it. */
#include "buildexec/source/git_cache.h"

#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/digest.h"

static bool open_mirror(const char *cache_dir, const struct git_url *url, struct git_repo **out,
			struct err *err)
{
	struct arena *arena = arena_new();
	struct digest digest = digest_of(url->canonical, strlen(url->canonical));
	const char *folder = path_join(arena, cache_dir, "git");
	const char *path = arena_printf(arena, "%s/%.32s.git", folder, digest_hex(digest.text));
	bool is_done = fs_make_dirs(folder, 0700, err) && git_repo_init(path, out, err);

	arena_free(arena);
	return is_done;
}

bool git_cache_fetch(const char *cache_dir, struct git_wire *wire,
		     const struct git_revision *revision, struct git_repo **out, struct err *err)
{
	const struct git_url *url = git_wire_url(wire);
	struct git_fetch fetch = { .commit = revision->commit, .hint_ref = revision->ref };
	struct git_fetch_stats stats;

	*out = NULL;
	if (url->scheme == GIT_SCHEME_LOCAL)
		return git_repo_open(url->path, false, out, err);
	if (!open_mirror(cache_dir, url, out, err))
		return err_prefix(err, "cannot keep commits of %s", url->canonical);
	fetch.into = *out;
	if (git_wire_fetch(wire, &fetch, &stats, err))
		return true;
	git_repo_close(out);
	return err_prefix(err, "cannot fetch %.12s of %s", revision->commit.hex, url->canonical);
}
