/* SPDX-License-Identifier: Apache-2.0 */
/* source_git.c — see source_git.h. */
#include "buildexec/source/source_git.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_export.h"
#include "buildexec/sys/git_wire.h"

/* "https://git.example.com[:port][/…]", "git@host", or "host": may this credential go to this URL? */
static bool credential_fits(const struct request_credential *credential, const struct git_url *url)
{
	const char *host = credential->server, *slashes, *at, *scheme = git_scheme_name(url->scheme);
	char want[300];
	size_t n;

	if (!host || !url->host)
		return false;
	slashes = strstr(host, "://");
	if (slashes) {
		n = (size_t)(slashes - host);
		if (n != strlen(scheme) || strncmp(host, scheme, n) != 0)
			return false;
		host = slashes + 3;
	}
	at = strchr(host, '@');
	if (at)
		host = at + 1;
	n = strcspn(host, "/");
	snprintf(want, sizeof(want), url->port ? "%s:%d" : "%s", url->host, url->port);
	return n == strlen(want) && strncmp(host, want, n) == 0;
}

static const struct request_credential *find_credential(const struct list *credentials,
							const struct git_url *url)
{
	bool is_ssh = url->scheme == GIT_SCHEME_SSH;

	for (size_t i = 0; credentials && i < credentials->n; i++) {
		const struct request_credential *one =
			LIST_AT(*credentials, const struct request_credential, i);

		if (is_ssh == (one->ssh_key != NULL) && credential_fits(one, url))
			return one;
	}
	return NULL;
}

static const struct settings_git *find_host(const struct list *hosts, const struct git_url *url)
{
	char want[300];

	if (!url->host)
		return NULL;
	snprintf(want, sizeof(want), url->port ? "%s:%d" : "%s", url->host, url->port);
	for (size_t i = 0; hosts && i < hosts->n; i++) {
		const struct settings_git *one = LIST_AT(*hosts, const struct settings_git, i);

		if (one->host && strcmp(one->host, want) == 0)
			return one;
	}
	return NULL;
}

/* A secret as a file that only we can read, because ssh takes nothing else. */
static bool secret_file(const char *dir, const char *name, const char *text, struct arena *arena,
			const char **out, struct err *err)
{
	const char *path = path_join(arena, dir, name);

	if (!fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, err))
		return false;
	*out = path;
	return true;
}

static bool make_auth(const struct source_spec *spec, const struct git_url *url,
		      const char *secret_dir, struct arena *arena, struct git_auth *auth,
		      struct err *err)
{
	const struct request_credential *credential = find_credential(spec->git_credentials, url);
	const struct settings_git *host = find_host(spec->git_hosts, url);

	if (host) {
		auth->ca_file = host->ca_file;
		auth->is_insecure = host->is_insecure;
		auth->known_hosts_file = host->known_hosts;
	}
	if (!credential)
		return true;
	auth->user = credential->user;
	auth->password = credential->password;
	auth->bearer = credential->token;
	if (credential->ssh_key && !secret_file(secret_dir, "key", credential->ssh_key, arena,
						&auth->ssh_key_file, err))
		return false;
	return !credential->known_hosts ||
	       secret_file(secret_dir, "known_hosts", credential->known_hosts, arena,
			   &auth->known_hosts_file, err);
}

/* One bare repository per remote repository: what was fetched once is not asked for again. */
static bool open_cache(const struct source_spec *spec, const struct git_url *url,
		       struct arena *arena, struct git_repo **out, struct err *err)
{
	struct digest name = digest_of(url->canonical, strlen(url->canonical));
	const char *dir = path_join(arena, spec->cache_dir, "git");

	return fs_make_dirs(dir, 0700, err) &&
	       git_repo_init(path_join(arena, dir, digest_hex(name.text)), out, err);
}

static bool export_tree(const struct source_spec *spec, struct git_repo *repo,
			const struct git_id *commit, struct arena *arena, struct err *err)
{
	struct git_objects *objects = git_repo_objects(repo);
	struct git_export_result result = { 0 };
	struct git_id tree, part;
	const char *sub_path;
	unsigned mode = 0;

	if (!source_sub_path(spec->source->sub_path, arena, &sub_path, err) ||
	    !git_tree_of_commit(objects, commit, &tree, err) ||
	    !git_find_path(objects, &tree, sub_path, &part, &mode, err))
		return false;
	if (git_id_is_none(&part))
		return err_set(err, ERR_ABSENT, "commit %s has no folder '%s'", commit->hex,
			       sub_path);
	if (sub_path[0] != '\0' && mode != GIT_MODE_DIR)
		return err_set(err, ERR_INVALID, "'%s' is no folder in commit %s", sub_path,
			       commit->hex);
	return git_export_tree(objects, &part, spec->dest, arena, &result, err);
}

static void close_repo(struct git_repo **repo)
{
	if (*repo)
		git_repo_close(repo);
}

static void close_wire(struct git_wire **wire)
{
	if (*wire)
		git_wire_close(wire);
}

bool source_git_export(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const struct git_source *git = spec->source->git;
	__attribute__((cleanup(close_repo))) struct git_repo *repo = NULL;
	__attribute__((cleanup(close_wire))) struct git_wire *wire = NULL;
	AUTO_TMPDIR secrets = { 0 };
	struct git_wire_options options = { 0 };
	struct git_fetch fetch = { 0 };
	struct git_fetch_stats stats;
	struct git_url url;

	if (git->has_submodules)
		return err_set(err, ERR_INVALID, "git submodules are not supported yet");
	if (!git_id_parse(git->revision, strlen(git->revision), &fetch.commit))
		return err_set(err, ERR_INVALID, "'%s' is no commit id", git->revision);
	if (!git_url_parse(git->url, arena, &url, err) ||
	    !tmpdir_make(NULL, "reconcile-git", &secrets, err) ||
	    !make_auth(spec, &url, secrets.path, arena, &options.auth, err) ||
	    !open_cache(spec, &url, arena, &repo, err) ||
	    !git_wire_open(git->url, &options, &wire, err))
		return false;
	fetch.into = repo;
	if (!git_wire_fetch(wire, &fetch, &stats, err))
		return err_prefix(err, "cannot fetch %.12s of '%s'", fetch.commit.hex,
				  url.canonical);
	return export_tree(spec, repo, &fetch.commit, arena, err);
}
