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
	const char *tag, *git, *git_revision, *blob, *local_path, *sub_path;
	const char *builder, *cluster_builder, *cache_size, *service_account;
	int64_t success_limit, failed_limit;
	struct strings env, delete_env, tags, delete_tags, services, delete_services;
};

/* Values as given; NULL, 0 and false mean "not given": the settings file or the default decides. */
struct options {
	const char *dry_run; /* NULL, "lookup", "offline" */
	bool detailed_exitcode, expect_no_changes, retry_failed, offline, is_strict, help, version;
	bool all_namespaces, is_verbose, with_timings, trust_repos;
	const char *write; /* NULL, "none", "files", "commit" */
	const char *state, *state_branch, *settings, *prune, *output, *now, *ns;
	const char *log_level, *log_format, *color, *cache_dir, *author, *manifests;
	struct strings filters;
	int64_t jobs, build;
	struct strings only, selectors, triggers;
	struct image_options image;
	struct strings args; /* positional */
};

enum option_type {
	OPTION_FLAG,   /* bool                                      */
	OPTION_TEXT,   /* const char *                              */
	OPTION_CHOICE, /* const char *, one of .choices             */
	OPTION_MAYBE,  /* const char *: "--x" is .bare, "--x=VALUE" */
	OPTION_NUMBER, /* int64_t ≥ 1                               */
	OPTION_TEXTS,  /* struct strings; may be given several times */
};

/* Which commands take an option. */
enum {
	FOR_RUN = 1,     /* the main job                 */
	FOR_LOAD = 2,    /* commands that read manifests */
	FOR_STATE = 4,   /* commands that read state     */
	FOR_TABLE = 8,   /* commands that print a result */
	FOR_NS = 16,     /* commands about objects of a namespace */
	FOR_BUILD = 32,  /* commands about one build     */
	FOR_EDIT = 64,   /* commands that change manifests */
	FOR_IMAGE = 128, /* commands that say what an image is to be */
	FOR_FILTER = 256,
	FOR_ALL = 511,
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
	const char *outputs; /* choices of -o; NULL: "text|json|yaml" */
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
