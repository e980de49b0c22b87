/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h — the command line as tables: one row per option, one row per command. Parsing, environment variables, help,
 * completion and man pages come from the same rows. Precedence: option, environment (RECONCILE_…), settings file, default.
 */
#ifndef RECONCILE_OPTIONS_H
#define RECONCILE_OPTIONS_H

#include <stdint.h>

#include "buildexec/sys/log.h"
#include "model/base/vec.h"

/* Documented exit codes (design §7). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_CHANGES = 2,
	EXIT_INVALID = 3,
	EXIT_PARTIAL = 4,
	EXIT_STATE = 5,
	EXIT_UNEXPECTED_CHANGES = 6,
	EXIT_USAGE = 64,
	EXIT_INTERRUPTED = 130,
};

/* Of `image create`, `patch` and `save`: kp's flags (kpack.md §5.3). */
struct image_options {
	const char *tag, *git, *git_revision, *blob, *local_path, *sub_path, *destination;
	const char *builder, *cluster_builder, *cache_size, *service_account;
	int64_t success_limit, failed_limit;
	struct strings env, delete_env, tags, delete_tags, services, delete_services;
	bool is_upload; /* local_path goes to the registry, as with kp */
};

/* Of the commands about builders and their parts (§5.2, §5.5). */
struct object_options {
	const char *tag, *stack, *store, *order, *build_image, *run_image, *image;
	const char *service_account, *account_ns;
	struct strings buildpacks, buildpackages;
};
/* Of `secret create` (§5.6). */
struct secret_options {
	const char *dockerhub, *gcr, *registry, *registry_user, *git_url, *git_user, *git_ssh_key;
	const char *from_env, *from_file;
};
struct import_options {
	const char *file;
	bool shows_changes, is_forced;
};

/* Of `tag`, and of `import` of a stream: oc's flags (openshift.md §5.3, §5.4). "true", "false" or NULL: not given. */
struct tag_options {
	bool is_delete, is_alias, is_reference;
	const char *source, *scheduled, *insecure, *reference_policy, *import_mode;
};
struct stream_options {
	const char *from, *all, *enabled;
	bool is_confirmed;
};
/* Of `prune`: numbers and durations as written (openshift.md §5.7). */
struct prune_options {
	const char *keep_complete, *keep_failed, *keep_revisions, *keep_younger;
	bool with_orphans;
};

/* Of `start-build`: oc's flags (openshift.md §5.5). "true", "false" or NULL: not given. */
struct start_options {
	const char *from_dir, *from_file, *from_archive, *from_repo, *from_build, *commit;
	const char *incremental, *no_cache, *list_webhooks;
	struct strings env, build_args;
	bool is_followed;
};

struct build_starter;

/* Of the commands about builds of build configs. */
struct build_options {
	const char *config; /* --build-config */
	const char *
		phases; /* of `build cancel --state`: "new,pending"; NULL: all that have not ended */
	bool is_no_wait;
};

/* Values as given; NULL, 0 and false mean "not given": the settings file or the default decides. */
struct options {
	const char *dry_run; /* NULL, "lookup", "offline" */
	bool detailed_exitcode, expect_no_changes, retry_failed, offline, is_strict, help, version;
	bool all_namespaces, is_verbose, with_timings, trust_repos, no_prune, allow_rollback,
		is_bom, is_waiting;
	bool is_upload_dry_run; /* --dry-run-with-image-upload: dry_run is set too */
	const char *write;      /* NULL, "none", "files", "commit" */
	const char *state, *state_branch, *state_fallback, *settings, *prune, *output, *now, *ns;
	const char *log_level, *log_format, *color, *cache_dir, *author, *manifests;
	struct strings filters;
	int64_t jobs, build;
	struct strings only, selectors, triggers;
	struct image_options image;
	struct object_options object;
	struct secret_options secret;
	struct import_options import;
	struct tag_options tag;
	struct stream_options stream;
	struct prune_options pruning;
	struct start_options start;
	struct build_options bc;
	struct strings args; /* positional */
	/* Not of the command line: `image … --wait` runs the main job for this object and shows its build. */
	const char *follow;
	bool follows_on_stderr;
	struct build_starter
		*starter; /* `start-build`: the main job runs this build; NULL: another command */
};

enum option_type {
	OPTION_FLAG,   /* bool                                      */
	OPTION_TEXT,   /* const char *                              */
	OPTION_CHOICE, /* const char *, one of .choices             */
	OPTION_SOME,   /* const char *, some of .choices, with commas */
	OPTION_MAYBE,  /* const char *: "--x" is .bare, "--x=VALUE" */
	OPTION_NUMBER, /* int64_t ≥ 1                               */
	OPTION_TEXTS,  /* struct strings; may be given several times */
};

/* Which commands take an option. */
enum {
	FOR_RUN = 1 << 0,   /* the main job                 */
	FOR_LOAD = 1 << 1,  /* commands that read manifests */
	FOR_STATE = 1 << 2, /* commands that read state     */
	FOR_TABLE = 1 << 3, /* commands that print a result */
	FOR_NS = 1 << 4,    /* commands about objects of a namespace */
	FOR_BUILD = 1 << 5, /* commands about one build     */
	FOR_EDIT = 1 << 6,  /* commands that change manifests */
	FOR_IMAGE = 1 << 7, /* commands that say what an image is to be */
	FOR_FILTER = 1 << 8,
	FOR_BOM = 1 << 9,   /* that show what an image holds */
	FOR_WAIT = 1 << 10, /* that may build what they changed */
	FOR_BUILDER = 1 << 11,
	FOR_STACK = 1 << 12,
	FOR_STORE = 1 << 13,
	FOR_PART = 1 << 14,    /* that are one image */
	FOR_ACCOUNT = 1 << 15, /* commands about what a service account uses */
	FOR_SECRET = 1 << 16,
	FOR_CONFIG = 1 << 17,
	FOR_IMPORT = 1 << 18,
	FOR_TAG = 1 << 19,       /* `tag` */
	FOR_TAG_FLAGS = 1 << 20, /* commands that say how a tag is imported */
	FOR_STREAM_IMPORT = 1 << 21,
	FOR_PRUNE = 1 << 22,
	FOR_PRUNE_BUILDS = 1 << 23,
	FOR_PRUNE_IMAGES = 1 << 24,
	FOR_LOOKUP = 1 << 25,
	FOR_MANIFESTS = 1 << 26, /* commands that look at manifests beside the state */
	FOR_BUILD_LIST = 1 << 27,
	FOR_CANCEL = 1 << 28, /* commands that end builds */
	FOR_START = 1 << 29,  /* `start-build` */
	FOR_ALL = (1 << 30) - 1,
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	size_t offset;
	const char *arg;     /* "FILE" */
	const char *choices; /* "text|json" */
	const char *bare;
	unsigned where;
	const char *help;
};
extern const struct option_row option_rows[];
extern const size_t n_option_rows;

struct context;
typedef int command_fn(struct context *context);

struct command {
	const char *words; /* "image list"; "" is the main job */
	const char *args;  /* "[NAME]" */
	size_t min_args, max_args;
	unsigned options; /* FOR_… */
	command_fn *run;
	const char *summary;
	const char *detail;   /* paragraphs for help and man page */
	const char *examples; /* lines "command # what it does" */
	bool is_hidden;
	const char *outputs; /* choices of -o; NULL: what all such commands take */
};
/* What -o may be for a command. */
const char *command_outputs(const struct command *command);
extern const struct command commands[];
extern const size_t n_commands;

/*
 * Finds the command and reads its options, environment first. ERR_INVALID with a suggestion for an unknown option or
 * command; the exit code is then EXIT_USAGE.
 */
MUST_CHECK bool options_parse(int argc, const char *const *argv, struct arena *arena,
			      const struct command **command, struct options *out, struct err *err);
/* Help, logging and colour are every command's. */
bool option_takes(const struct command *command, const struct option_row *row);
/* "RECONCILE_STATE_BRANCH" */
char *option_variable(const struct option_row *row, struct arena *arena);

void help_print(const struct command *command, struct buf *out); /* NULL: the overview */

#endif
