/* SPDX-License-Identifier: Apache-2.0 */
/* options.c — the option table and its one parser. GNU conventions: --name=value, --name value, -nvalue, --. */
#include "reconcile/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/proc.h"
#include "model/doc/diag.h"

#define O(member) offsetof(struct options, member)

/* clang-format off */
const struct option_row option_rows[] = {
	{ "dry-run", 0, OPTION_MAYBE, O(dry_run), "lookup|offline", "lookup|offline", "lookup", FOR_RUN | FOR_EDIT,
	  "print what would be done, change nothing, run nothing; 'offline' asks nobody and uses recorded state alone" },
	{ "dry-run-with-image-upload", 0, OPTION_FLAG, O(is_upload_dry_run), NULL, NULL, NULL, FOR_IMAGE | FOR_STACK | FOR_STORE | FOR_PART | FOR_IMPORT,
	  "as --dry-run, but images and sources are uploaded" },
	{ "detailed-exitcode", 0, OPTION_FLAG, O(detailed_exitcode), NULL, NULL, NULL, FOR_RUN,
	  "with --dry-run: exit 2 when there are changes" },
	{ "expect-no-changes", 0, OPTION_FLAG, O(expect_no_changes), NULL, NULL, NULL, FOR_RUN,
	  "exit 6 when there are changes" },
	{ "state", 0, OPTION_TEXT, O(state), "URL|PATH", NULL, NULL, FOR_RUN | FOR_STATE,
	  "git repository of the state (default: origin of the repository that holds DIR, or that repository)" },
	{ "state-branch", 0, OPTION_TEXT, O(state_branch), "NAME", NULL, NULL, FOR_RUN | FOR_STATE,
	  "its branch (default: reconcile/state)" },
	{ "settings", 0, OPTION_TEXT, O(settings), "FILE", NULL, NULL, FOR_RUN | FOR_LOAD | FOR_STATE | FOR_EDIT,
	  "settings file, trusted; replaces a Settings document among the manifests" },
	{ "jobs", 'j', OPTION_NUMBER, O(jobs), "N", NULL, NULL, FOR_RUN | FOR_WAIT | FOR_START,
	  "builds at the same time (default: the number of cores)" },
	{ "only", 0, OPTION_TEXTS, O(only), "KIND/NS/NAME", NULL, NULL, FOR_RUN,
	  "act on this object only, and on what it is made of; may be given several times" },
	{ "selector", 'l', OPTION_TEXTS, O(selectors), "KEY=VALUE", NULL, NULL, FOR_RUN,
	  "act on objects with these labels only: KEY, !KEY, KEY=VALUE, KEY!=VALUE; several with commas" },
	{ "trigger", 0, OPTION_TEXTS, O(triggers), "[KIND/NS/]NAME", NULL, NULL, FOR_RUN,
	  "build this image even when nothing changed (reason TRIGGER)" },
	{ "retry-failed", 0, OPTION_FLAG, O(retry_failed), NULL, NULL, NULL, FOR_RUN,
	  "try failed builds again" },
	{ "prune", 0, OPTION_MAYBE, O(prune), "all", "some|all", "some", FOR_RUN,
	  "delete the records of all objects without a manifest, also those that were not declared in DIR; more than half of all only with --prune=all" },
	{ "no-prune", 0, OPTION_FLAG, O(no_prune), NULL, NULL, NULL, FOR_RUN,
	  "keep the records of objects whose manifests are gone" },
	{ "state-fallback", 0, OPTION_TEXT, O(state_fallback), "FILE", NULL, NULL, FOR_RUN,
	  "where results go that the state branch does not take (default: reconcile-RUN.state in the current folder)" },
	{ "allow-rollback", 0, OPTION_FLAG, O(allow_rollback), NULL, NULL, NULL, FOR_RUN,
	  "act on manifests of a commit that is older than what was recorded last; they are left alone otherwise" },
	{ "write", 0, OPTION_MAYBE, O(write), "none|files|commit", "none|files|commit", "files", FOR_RUN | FOR_START,
	  "write edits of image fields: in place, or as a commit to the manifests' repository (default: none, they are shown)" },
	{ "offline", 0, OPTION_FLAG, O(offline), NULL, NULL, NULL, FOR_RUN,
	  "ask no server: recorded values stand in for what was not asked" },
	{ "strict", 0, OPTION_FLAG, O(is_strict), NULL, NULL, NULL, FOR_RUN | FOR_LOAD | FOR_EDIT,
	  "unknown fields are errors" },
	{ "now", 0, OPTION_TEXT, O(now), "RFC3339", NULL, NULL, FOR_RUN | FOR_STATE,
	  "the run's clock, for schedules and tests" },
	{ "author", 0, OPTION_TEXT, O(author), "'NAME <EMAIL>'", NULL, NULL, FOR_RUN | FOR_WAIT | FOR_START,
	  "author of state commits" },
	{ "cache-dir", 0, OPTION_TEXT, O(cache_dir), "DIR", NULL, NULL, FOR_RUN | FOR_STATE,
	  "where layers, commits and build caches are kept (default: $XDG_CACHE_HOME/reconcile)" },
	{ "output", 'o', OPTION_CHOICE, O(output), "FORMAT", "text|wide|json|yaml|name|dot|mermaid", NULL, FOR_RUN | FOR_TABLE | FOR_EDIT | FOR_START,
	  "format of the result" },
	{ "namespace", 'n', OPTION_TEXT, O(ns), "NAME", NULL, NULL, FOR_NS | FOR_EDIT | FOR_START,
	  "namespace (default: default)" },
	{ "all-namespaces", 'A', OPTION_FLAG, O(all_namespaces), NULL, NULL, NULL, FOR_NS,
	  "all namespaces" },
	{ "build", 'b', OPTION_NUMBER, O(build), "NUMBER", NULL, NULL, FOR_BUILD,
	  "number of the build (default: the latest)" },
	{ "bom", 0, OPTION_FLAG, O(is_bom), NULL, NULL, NULL, FOR_BOM,
	  "print the bill of materials of the image that was built, out of the registry" },
	{ "manifests", 0, OPTION_TEXT, O(manifests), "DIR", NULL, NULL, FOR_EDIT | FOR_BOM | FOR_MANIFESTS,
	  "folder (or file) of the manifests (default: .)" },
	{ "wait", 'w', OPTION_FLAG, O(is_waiting), NULL, NULL, NULL, FOR_WAIT | FOR_STREAM_IMPORT,
	  "build or import now what was changed, with what it needs, and show the log or the stream; exit 4 when it is not ready then" },
	{ "filter", 0, OPTION_TEXTS, O(filters), "KEY=VALUES", NULL, NULL, FOR_FILTER,
	  "only images with one of these values (with commas); builder, clusterbuilder, latest-reason or ready; all filters hold" },
	{ "tag", 't', OPTION_TEXT, O(image.tag), "TAG", NULL, NULL, FOR_IMAGE,
	  "where the image is pushed; it cannot be changed later" },
	{ "additional-tag", 0, OPTION_TEXTS, O(image.tags), "TAG", NULL, NULL, FOR_IMAGE,
	  "further tag of the same registry" },
	{ "delete-additional-tag", 0, OPTION_TEXTS, O(image.delete_tags), "TAG", NULL, NULL, FOR_IMAGE,
	  "additional tag to take away" },
	{ "git", 0, OPTION_TEXT, O(image.git), "URL", NULL, NULL, FOR_IMAGE,
	  "git repository of the source" },
	{ "git-revision", 0, OPTION_TEXT, O(image.git_revision), "REVISION", NULL, NULL, FOR_IMAGE,
	  "branch, tag or commit (default: master, then main)" },
	{ "blob", 0, OPTION_TEXT, O(image.blob), "URL", NULL, NULL, FOR_IMAGE,
	  "archive of the source: zip, tar, tar.gz or jar" },
	{ "local-path", 0, OPTION_TEXT, O(image.local_path), "PATH", NULL, NULL, FOR_IMAGE,
	  "folder or archive of the source on this machine" },
	{ "upload", 0, OPTION_FLAG, O(image.is_upload), NULL, NULL, NULL, FOR_IMAGE,
	  "upload --local-path to the registry as a source image, as kp does; without it the manifest names the path" },
	{ "local-path-destination-image", 0, OPTION_TEXT, O(image.destination), "REF", NULL, NULL, FOR_IMAGE,
	  "upload --local-path there (default of --upload: <repository of the tag>-source)" },
	{ "sub-path", 0, OPTION_TEXT, O(image.sub_path), "PATH", NULL, NULL, FOR_IMAGE,
	  "folder of the source that is the app" },
	{ "builder", 'b', OPTION_TEXT, O(image.builder), "NAME", NULL, NULL, FOR_IMAGE,
	  "Builder of the image's namespace" },
	{ "custom-builder", 0, OPTION_TEXT, O(image.builder), "NAME", NULL, NULL, FOR_IMAGE,
	  "the same as --builder" },
	{ "cluster-builder", 'c', OPTION_TEXT, O(image.cluster_builder), "NAME", NULL, NULL, FOR_IMAGE,
	  "ClusterBuilder (default: default)" },
	{ "custom-cluster-builder", 0, OPTION_TEXT, O(image.cluster_builder), "NAME", NULL, NULL, FOR_IMAGE,
	  "the same as --cluster-builder" },
	{ "env", 'e', OPTION_TEXTS, O(image.env), "NAME=VALUE", NULL, NULL, FOR_IMAGE,
	  "variable of builds; may be given several times" },
	{ "delete-env", 'd', OPTION_TEXTS, O(image.delete_env), "NAME", NULL, NULL, FOR_IMAGE,
	  "variable to take away" },
	{ "cache-size", 0, OPTION_TEXT, O(image.cache_size), "SIZE", NULL, NULL, FOR_IMAGE,
	  "of the build cache: 2G, 1.5Gi; it can only grow" },
	{ "service-binding", 's', OPTION_TEXTS, O(image.services), "[KIND:APIVERSION:]NAME", NULL, NULL, FOR_IMAGE,
	  "service binding of builds (default kind: Secret)" },
	{ "delete-service-binding", 0, OPTION_TEXTS, O(image.delete_services), "[KIND:APIVERSION:]NAME", NULL, NULL, FOR_IMAGE,
	  "service binding to take away" },
	{ "service-account", 0, OPTION_TEXT, O(image.service_account), "NAME", NULL, NULL, FOR_IMAGE,
	  "whose secrets builds may use (default: default)" },
	{ "success-build-history-limit", 0, OPTION_NUMBER, O(image.success_limit), "N", NULL, NULL, FOR_IMAGE,
	  "successful builds to keep (default: 10)" },
	{ "failed-build-history-limit", 0, OPTION_NUMBER, O(image.failed_limit), "N", NULL, NULL, FOR_IMAGE,
	  "failed builds to keep (default: 10)" },
	{ "tag", 't', OPTION_TEXT, O(object.tag), "TAG", NULL, NULL, FOR_BUILDER,
	  "where the builder image is pushed (default: a tag of the default repository)" },
	{ "stack", 's', OPTION_TEXT, O(object.stack), "NAME", NULL, NULL, FOR_BUILDER,
	  "ClusterStack to build on (default: default)" },
	{ "store", 0, OPTION_TEXT, O(object.store), "NAME", NULL, NULL, FOR_BUILDER,
	  "ClusterStore to take buildpacks from (default: default, where there is one)" },
	{ "order", 'o', OPTION_TEXT, O(object.order), "FILE", NULL, NULL, FOR_BUILDER,
	  "detection order: a YAML list of '- group:' with id, version and optional; - for standard input" },
	{ "buildpack", 'b', OPTION_TEXTS, O(object.buildpacks), "ID[@VERSION]", NULL, NULL, FOR_BUILDER,
	  "buildpack of the one group of the order, instead of --order; may be given several times" },
	{ "build-image", 'b', OPTION_TEXT, O(object.build_image), "IMAGE", NULL, NULL, FOR_STACK,
	  "where builds run" },
	{ "run-image", 'r', OPTION_TEXT, O(object.run_image), "IMAGE", NULL, NULL, FOR_STACK,
	  "what apps stand on" },
	{ "buildpackage", 'b', OPTION_TEXTS, O(object.buildpackages), "IMAGE", NULL, NULL, FOR_STORE,
	  "image that holds buildpacks; to remove, also ID@VERSION; may be given several times" },
	{ "image", 'i', OPTION_TEXT, O(object.image), "IMAGE", NULL, NULL, FOR_PART,
	  "the image" },
	{ "service-account", 0, OPTION_TEXT, O(object.service_account), "NAME", NULL, NULL, FOR_ACCOUNT,
	  "whose secrets are used (default: default)" },
	{ "service-account-namespace", 0, OPTION_TEXT, O(object.account_ns), "NAME", NULL, NULL, FOR_CONFIG,
	  "its namespace (default: kpack)" },
	{ "dockerhub", 0, OPTION_TEXT, O(secret.dockerhub), "USER", NULL, NULL, FOR_SECRET,
	  "login of Docker Hub" },
	{ "gcr", 0, OPTION_TEXT, O(secret.gcr), "FILE", NULL, NULL, FOR_SECRET,
	  "login of gcr.io: the key of a service account" },
	{ "registry", 0, OPTION_TEXT, O(secret.registry), "HOST", NULL, NULL, FOR_SECRET,
	  "login of another registry, with --registry-user" },
	{ "registry-user", 0, OPTION_TEXT, O(secret.registry_user), "USER", NULL, NULL, FOR_SECRET,
	  "its user" },
	{ "git-url", 0, OPTION_TEXT, O(secret.git_url), "URL", NULL, NULL, FOR_SECRET,
	  "login of a git server (https://host, git@host), with --git-user or --git-ssh-key" },
	{ "git", 0, OPTION_TEXT, O(secret.git_url), "URL", NULL, NULL, FOR_SECRET,
	  "the same as --git-url" },
	{ "git-user", 0, OPTION_TEXT, O(secret.git_user), "USER", NULL, NULL, FOR_SECRET,
	  "its user" },
	{ "git-ssh-key", 0, OPTION_TEXT, O(secret.git_ssh_key), "FILE", NULL, NULL, FOR_SECRET,
	  "private key for ssh" },
	{ "from-env", 0, OPTION_TEXT, O(secret.from_env), "VARIABLE", NULL, NULL, FOR_SECRET,
	  "variable that holds the value when reconcile runs (default: RECONCILE_SECRET_<NAME>)" },
	{ "from-file", 0, OPTION_TEXT, O(secret.from_file), "FILE", NULL, NULL, FOR_SECRET,
	  "file that holds it instead: below the folder of the manifests or /run/secrets" },
	{ "filename", 'f', OPTION_TEXT, O(import.file), "FILE", NULL, NULL, FOR_IMPORT,
	  "dependency descriptor; - for standard input" },
	{ "show-changes", 0, OPTION_FLAG, O(import.shows_changes), NULL, NULL, NULL, FOR_IMPORT,
	  "show what would change, and ask on a terminal" },
	{ "force", 0, OPTION_FLAG, O(import.is_forced), NULL, NULL, NULL, FOR_IMPORT,
	  "do not ask" },
	{ "source", 0, OPTION_TEXT, O(tag.source), "KIND", NULL, NULL, FOR_TAG,
	  "what SOURCE is: istag, isimage or docker (default: by its form)" },
	{ "delete", 'd', OPTION_FLAG, O(tag.is_delete), NULL, NULL, NULL, FOR_TAG,
	  "delete the tags that are named" },
	{ "alias", 0, OPTION_FLAG, O(tag.is_alias), NULL, NULL, NULL, FOR_TAG,
	  "follow the source tag instead of taking what it points at now; within one stream" },
	{ "reference", 0, OPTION_FLAG, O(tag.is_reference), NULL, NULL, NULL, FOR_TAG,
	  "hand the source out as it is, import nothing" },
	{ "from", 0, OPTION_TEXT, O(stream.from), "IMAGE", NULL, NULL, FOR_STREAM_IMPORT,
	  "image, or with --all repository, that is imported" },
	{ "confirm", 0, OPTION_FLAG, O(stream.is_confirmed), NULL, NULL, NULL, FOR_STREAM_IMPORT | FOR_PRUNE,
	  "really do it: create or change what is imported; remove what can be pruned" },
	{ "all", 0, OPTION_MAYBE, O(stream.all), "true|false", "true|false", "true", FOR_STREAM_IMPORT | FOR_PRUNE_IMAGES,
	  "all tags; prune: images of other registries too (default there: true)" },
	{ "scheduled", 0, OPTION_MAYBE, O(tag.scheduled), "true|false", "true|false", "true", FOR_TAG_FLAGS,
	  "import the image again and again" },
	{ "insecure", 0, OPTION_MAYBE, O(tag.insecure), "true|false", "true|false", "true", FOR_TAG_FLAGS,
	  "plain HTTP and unknown certificates will do" },
	{ "reference-policy", 0, OPTION_CHOICE, O(tag.reference_policy), "POLICY", "source|local", NULL, FOR_TAG_FLAGS,
	  "what is pulled for the tag: the source, or a local copy in the integrated registry" },
	{ "import-mode", 0, OPTION_CHOICE, O(tag.import_mode), "MODE", "Legacy|PreserveOriginal", NULL, FOR_TAG_FLAGS,
	  "one image of an index, or the index" },
	{ "enabled", 0, OPTION_MAYBE, O(stream.enabled), "true|false", "true|false", "true", FOR_LOOKUP,
	  "whether short names of workloads may mean the stream (default: true)" },
	{ "keep-complete", 0, OPTION_TEXT, O(pruning.keep_complete), "N", NULL, NULL, FOR_PRUNE_BUILDS,
	  "successful builds to keep of each image (default: 5)" },
	{ "keep-failed", 0, OPTION_TEXT, O(pruning.keep_failed), "N", NULL, NULL, FOR_PRUNE_BUILDS,
	  "failed builds to keep of each image (default: 1)" },
	{ "orphans", 0, OPTION_FLAG, O(pruning.with_orphans), NULL, NULL, NULL, FOR_PRUNE_BUILDS,
	  "all builds of images whose manifest is gone, too" },
	{ "keep-tag-revisions", 0, OPTION_TEXT, O(pruning.keep_revisions), "N", NULL, NULL, FOR_PRUNE_IMAGES,
	  "items of a tag's history to keep (default: 3)" },
	{ "keep-younger-than", 0, OPTION_TEXT, O(pruning.keep_younger), "DURATION", NULL, NULL, FOR_PRUNE,
	  "nothing younger is pruned: 90s, 60m, 24h (default: 60m)" },
	{ "from-dir", 0, OPTION_TEXT, O(start.from_dir), "DIR", NULL, NULL, FOR_START,
	  "folder that is the source of this build, instead of what the build config says; all of it but .git" },
	{ "from-archive", 0, OPTION_TEXT, O(start.from_archive), "FILE", NULL, NULL, FOR_START,
	  "archive (tar, tar.gz, zip) that is unpacked and is the source of this build" },
	{ "from-file", 0, OPTION_TEXT, O(start.from_file), "FILE", NULL, NULL, FOR_START,
	  "file that is all of the source of this build, such as a Dockerfile or pom.xml" },
	{ "from-repo", 0, OPTION_TEXT, O(start.from_repo), "DIR", NULL, NULL, FOR_START,
	  "git repository on this machine whose HEAD, or --commit, is the source of this build" },
	{ "from-build", 0, OPTION_TEXT, O(start.from_build), "BUILD", NULL, NULL, FOR_START,
	  "recorded build (cart-3) to run again, as it was" },
	{ "commit", 0, OPTION_TEXT, O(start.commit), "REVISION", NULL, NULL, FOR_START,
	  "commit, branch or tag of the source to build" },
	{ "env", 'e', OPTION_TEXTS, O(start.env), "NAME=VALUE", NULL, NULL, FOR_START,
	  "variable of this build; may be given several times" },
	{ "build-arg", 0, OPTION_TEXTS, O(start.build_args), "NAME=VALUE", NULL, NULL, FOR_START,
	  "build argument of this Docker build; may be given several times" },
	{ "incremental", 0, OPTION_MAYBE, O(start.incremental), "true|false", "true|false", "true", FOR_START,
	  "whether a Source build takes over artifacts of the one before" },
	{ "no-cache", 0, OPTION_MAYBE, O(start.no_cache), "true|false", "true|false", "true", FOR_START,
	  "whether a Docker build leaves its cache alone" },
	{ "list-webhooks", 0, OPTION_MAYBE, O(start.list_webhooks), "all|generic|github|gitlab|bitbucket", "all|generic|github|gitlab|bitbucket", "all", FOR_START,
	  "list the webhook triggers of the build config, and start nothing" },
	{ "follow", 'F', OPTION_FLAG, O(start.is_followed), NULL, NULL, NULL, FOR_START,
	  "print the log of the build as it comes" },
	{ "wait", 'w', OPTION_FLAG, O(is_waiting), NULL, NULL, NULL, FOR_START,
	  "taken for oc's sake: the build always runs to its end" },
	{ "build-config", 0, OPTION_TEXT, O(bc.config), "NAME", NULL, NULL, FOR_BUILD_LIST,
	  "builds of this build config, in oc's columns; the same as bc/NAME" },
	{ "state", 0, OPTION_SOME, O(bc.phases), "PHASES", "new|pending|running|all", NULL, FOR_CANCEL,
	  "cancel builds of these phases only: new, pending, running, with commas, or all (the default); any other value is the "
	  "repository of the state" },
	{ "no-wait", 0, OPTION_FLAG, O(bc.is_no_wait), NULL, NULL, NULL, FOR_CANCEL,
	  "do not wait for builds that run elsewhere to end" },
	{ "timings", 0, OPTION_FLAG, O(with_timings), NULL, NULL, NULL, FOR_RUN,
	  "say on stderr how long each part of the run took" },
	{ "trust-repositories", 0, OPTION_FLAG, O(trust_repos), NULL, NULL, NULL, FOR_RUN | FOR_STATE,
	  "read local git repositories that belong to another user" },
	{ "log-level", 0, OPTION_CHOICE, O(log_level), "LEVEL", "error|warn|info|debug", NULL, FOR_ALL,
	  "what is said on stderr (default: info)" },
	{ "log-format", 0, OPTION_CHOICE, O(log_format), "FORMAT", "text|json|logfmt", NULL, FOR_ALL,
	  "how it is said" },
	{ "color", 0, OPTION_CHOICE, O(color), "WHEN", "auto|always|never", NULL, FOR_ALL,
	  "colour (default: auto; NO_COLOR is honoured)" },
	{ "verbose", 'v', OPTION_FLAG, O(is_verbose), NULL, NULL, NULL, FOR_ALL,
	  "say more; in tables, show more" },
	{ "help", 'h', OPTION_FLAG, O(help), NULL, NULL, NULL, FOR_ALL, "show help" },
	{ "version", 0, OPTION_FLAG, O(version), NULL, NULL, NULL, FOR_ALL, "show the version" },
};
/* clang-format on */
const size_t n_option_rows = COUNTOF(option_rows);

struct parser {
	struct arena *arena;
	struct options *options;
	const struct command *command;
	struct err *err;
};

char *option_variable(const struct option_row *row, struct arena *arena)
{
	char *name = arena_printf(arena, "RECONCILE_%s", row->name);

	for (char *c = name; *c; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
	return name;
}

bool option_takes(const struct command *command, const struct option_row *row)
{
	return row->where == FOR_ALL || row->where & command->options;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);

	for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
		if (n && strcspn(at, "|") == n && strncmp(at, value, n) == 0)
			return true;
	return false;
}

/* Words of the choices with commas between them. */
static bool are_choices(const char *choices, const char *value, struct arena *arena)
{
	for (;;) {
		size_t n = strcspn(value, ",");

		if (!is_choice(choices, arena_copy(arena, value, n)))
			return false;
		if (!value[n])
			return true;
		value += n + 1;
	}
}

static bool number(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && end != text && !*end && *out >= 1;
}

static bool truth(const char *text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "1", true },  { "true", true },   { "yes", true }, { "", false },
		      { "0", false }, { "false", false }, { "no", false } };

	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (strcmp(words[i].word, text) == 0) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

/* `name` is how the user wrote it: "--jobs", "-j" or "RECONCILE_JOBS". */
static bool store_value(struct parser *p, const struct option_row *row, const char *name,
			const char *value)
{
	char *base = (char *)p->options + row->offset;
	const char **text = (const char **)(void *)base;

	switch (row->type) {
	case OPTION_FLAG:
		if (truth(value, (bool *)(void *)base))
			return true;
		return err_set(p->err, ERR_INVALID, "%s takes true or false, not '%s'", name,
			       value);
	case OPTION_NUMBER:
		if (number(value, (int64_t *)(void *)base))
			return true;
		return err_set(p->err, ERR_INVALID, "%s takes a whole number from 1, not '%s'",
			       name, value);
	case OPTION_CHOICE:
	case OPTION_MAYBE:
		if (row->choices && !is_choice(row->choices, value))
			return err_set(p->err, ERR_INVALID, "%s takes one of %s, not '%s'", name,
				       row->choices, value);
		*text = value;
		return true;
	case OPTION_SOME:
		if (!are_choices(row->choices, value, p->arena))
			return err_set(p->err, ERR_INVALID, "%s takes some of %s, not '%s'", name,
				       row->choices, value);
		*text = value;
		return true;
	case OPTION_TEXT:
		*text = value;
		return true;
	case OPTION_TEXTS:
		vec_push(p->arena, (struct strings *)(void *)base, value);
		return true;
	}
	return true;
}

/* A list in a variable is separated by commas. */
static bool store_variable(struct parser *p, const struct option_row *row, const char *name,
			   const char *value)
{
	if (row->type != OPTION_TEXTS)
		return store_value(p, row, name, value);
	while (*value) {
		size_t n = strcspn(value, ",");

		if (n && !store_value(p, row, name, arena_copy(p->arena, value, n)))
			return false;
		value += n + (value[n] == ',');
	}
	return true;
}

/* Of two options with one name, a variable is the first one's. */
static bool is_first(const struct parser *p, const struct option_row *row)
{
	for (const struct option_row *before = option_rows; before < row; before++)
		if (strcmp(before->name, row->name) == 0 && option_takes(p->command, before))
			return false;
	return true;
}

static bool read_environment(struct parser *p)
{
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];
		const char *name = option_variable(row, p->arena);
		const char *value = proc_getenv(name);

		if (!value || !option_takes(p->command, row) || !is_first(p, row) ||
		    (!*value && row->type != OPTION_FLAG))
			continue;
		if (!store_variable(p, row, name, value))
			return false;
	}
	return true;
}

static bool unknown_option(struct parser *p, const char *given, size_t n)
{
	const char *names[64];
	size_t count = 0;
	const char *near, *word = arena_copy(p->arena, given, n);

	for (size_t i = 0; i < n_option_rows && count < COUNTOF(names); i++)
		if (option_takes(p->command, &option_rows[i]))
			names[count++] = option_rows[i].name;
	near = suggest(word, names, count);
	for (size_t i = 0; i < n_option_rows; i++)
		if (strcmp(option_rows[i].name, word) == 0)
			return err_set(p->err, ERR_INVALID,
				       "'reconcile%s%s' takes no option '--%s'",
				       *p->command->words ? " " : "", p->command->words, word);
	if (near)
		return err_set(p->err, ERR_INVALID, "unknown option '--%s'; did you mean '--%s'?",
			       word, near);
	return err_set(p->err, ERR_INVALID, "unknown option '--%s'", word);
}

/* Of two options with one name (oc's --state is phases) the one that takes certain words where the value is some of them. */
static const struct option_row *find_name(const struct parser *p, const char *name, size_t n,
					  const char *value)
{
	const struct option_row *found = NULL;

	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];

		if (strlen(row->name) != n || strncmp(row->name, name, n) != 0 ||
		    !option_takes(p->command, row))
			continue;
		if (found && row->type == OPTION_SOME &&
		    (!value || !are_choices(row->choices, value, p->arena)))
			continue;
		found = row;
	}
	return found;
}

/* Takes the next word as the value where the option needs one. */
static bool read_long(struct parser *p, const char *word, const char *const **next)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_name(p, name, n, equals ? equals + 1 : **next);

	if (!row)
		return unknown_option(p, name, n);
	if (equals)
		return store_value(p, row, arena_printf(p->arena, "--%s", row->name), equals + 1);
	if (row->type == OPTION_FLAG)
		return store_value(p, row, word, "true");
	if (row->type == OPTION_MAYBE)
		return store_value(p, row, word, row->bare);
	if (!**next)
		return err_set(p->err, ERR_INVALID, "%s needs a value: %s", word, row->arg);
	return store_value(p, row, word, *(*next)++);
}

/* Of two options with one letter (kp's -o is --order) the one that takes one of few words where it is such a word. */
static const struct option_row *find_letter(const struct parser *p, char letter, const char *value)
{
	const struct option_row *found = NULL;

	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->letter != letter || !option_takes(p->command, row))
			continue;
		if (found && found->type == OPTION_CHOICE && value &&
		    is_choice(found->choices, value))
			continue;
		found = row;
	}
	return found;
}

static bool read_short(struct parser *p, const char *word, const char *const **next)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option_row *row = find_letter(p, *at, at[1] ? at + 1 : **next);
		char name[3] = { '-', *at, '\0' };

		if (!row)
			return err_set(p->err, ERR_INVALID, "unknown option '-%c'", *at);
		if (row->type == OPTION_FLAG) {
			if (!store_value(p, row, name, "true"))
				return false;
			continue;
		}
		if (at[1])
			return store_value(p, row, arena_strdup(p->arena, name), at + 1);
		if (!**next)
			return err_set(p->err, ERR_INVALID, "-%c needs a value: %s", *at, row->arg);
		return store_value(p, row, arena_strdup(p->arena, name), *(*next)++);
	}
	return true;
}

/* `given` is the first of the blank-separated `words`, or another name of the same kind of object. */
static bool is_word(const char *given, const char *words)
{
	static const char *const same[][2] = {
		{ "stack", "clusterstack" },     { "store", "clusterstore" },
		{ "cb", "clusterbuilder" },      { "custom-cluster-builder", "clusterbuilder" },
		{ "custom-builder", "builder" }, { "lifecycle", "clusterlifecycle" },
		{ "bc", "buildconfig" },
	};
	size_t n = strcspn(words, " ");

	if (strlen(given) == n && strncmp(given, words, n) == 0)
		return true;
	for (size_t i = 0; i < COUNTOF(same); i++)
		for (size_t k = 0; k < 2; k++)
			if (strcmp(given, same[i][k]) == 0 && strlen(same[i][!k]) == n &&
			    strncmp(same[i][!k], words, n) == 0)
				return true;
	return false;
}

/* The command whose words come first among the arguments; the main job when none does. */
static const struct command *find_command(const char *const *argv, size_t *n_words)
{
	const struct command *found = &commands[0];

	*n_words = 0;
	for (size_t i = 1; i < n_commands; i++) {
		const char *at = commands[i].words;
		size_t n = 0;

		while (at && argv[n] && is_word(argv[n], at)) {
			n++;
			at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
		}
		if (!at && n > *n_words) {
			found = &commands[i];
			*n_words = n;
		}
	}
	return found;
}

/* "reconcile image lst": a known first word without a known second one. */
static bool check_words(const char *const *argv, struct err *err)
{
	const char *names[64];
	size_t n_names = 0;

	if (!argv[0] || argv[0][0] == '-')
		return true;
	for (size_t i = 1; i < n_commands; i++) {
		size_t n = strcspn(commands[i].words, " ");

		if (commands[i].words[n] == ' ' && is_word(argv[0], commands[i].words))
			if (n_names < COUNTOF(names))
				names[n_names++] = commands[i].words + n + 1;
	}
	if (!n_names)
		return true;
	if (argv[1] && argv[1][0] != '-') {
		const char *near = suggest(argv[1], names, n_names);

		return err_set(err, ERR_INVALID, "unknown command 'reconcile %s %s'%s%s%s", argv[0],
			       argv[1], near ? "; did you mean '" : "", near ? near : "",
			       near ? "'?" : "");
	}
	return err_set(err, ERR_INVALID,
		       "'reconcile %s' needs one of: %s …; a folder of that name is './%s'",
		       argv[0], names[0], argv[0]);
}

const char *command_outputs(const struct command *command)
{
	const unsigned looks = FOR_TABLE | FOR_NS;

	if (command->outputs)
		return command->outputs;
	return (command->options & looks) == looks ? "text|wide|json|yaml|name" : "text|json|yaml";
}

static bool check_args(const struct command *command, const struct options *options,
		       struct err *err)
{
	const char *blank = *command->words ? " " : "";

	if (options->help || options->version)
		return true;
	if (options->output && !is_choice(command_outputs(command), options->output))
		return err_set(err, ERR_INVALID, "'reconcile%s%s' takes -o %s, not '%s'", blank,
			       command->words, command_outputs(command), options->output);
	if (options->args.n < command->min_args)
		return err_set(err, ERR_INVALID, "usage: reconcile%s%s %s", blank, command->words,
			       command->args);
	if (options->args.n > command->max_args)
		return err_set(
			err, ERR_INVALID, "unexpected argument '%s'; usage: reconcile%s%s %s",
			options->args.v[command->max_args], blank, command->words, command->args);
	return true;
}

bool options_parse(int argc, const char *const *argv, struct arena *arena,
		   const struct command **command, struct options *out, struct err *err)
{
	struct parser p = { .arena = arena, .options = out, .err = err };
	const char *const *next = argv + 1;
	size_t n_words;
	bool has_ended = false;

	(void)argc;
	*out = (struct options){ 0 };
	*command = p.command = find_command(next, &n_words);
	if (!n_words && !check_words(next, err))
		return false;
	next += n_words;
	if (!read_environment(&p))
		return false;
	while (*next) {
		const char *word = *next++;

		if (has_ended || word[0] != '-' || !word[1])
			vec_push(arena, &out->args, word);
		else if (strcmp(word, "--") == 0)
			has_ended = true;
		else if (word[1] == '-' ? !read_long(&p, word, &next)
					: !read_short(&p, word, &next))
			return false;
	}
	return check_args(*command, out, err);
}
