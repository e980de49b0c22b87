/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h — what every command works on: options, the manifests that were loaded, the state that was read. Each part is
 * opened when a command asks for it, and closed with the context.
 */
#ifndef RECONCILE_CONTEXT_H
#define RECONCILE_CONTEXT_H

#include "reconcile/apply/state_read.h"
#include "reconcile/load.h"
#include "reconcile/options.h"

/* What the repository that holds DIR says; all zero when there is none. */
struct home {
	const char *path;   /* the repository itself */
	const char *url;    /* where state is by default: its origin, else itself */
	const char *commit; /* its HEAD; NULL: none */
	int64_t commit_s;   /* of that commit: its committer's time; 0: nobody knows */
	const char *branch; /* that is checked out, short; NULL: none is */
	const char *top;    /* of its work tree, absolute */
	bool is_sparse;     /* not all of its files are in the work tree */
};

struct context {
	struct arena *arena;
	const struct command *command;
	struct options options;
	struct buf out; /* the result: written to stdout at the end, through the redactor */
	bool with_color, is_terminal;

	struct loaded loaded;
	bool is_loaded;
	const struct settings *settings;
	const char *settings_dir; /* absolute: what relative paths of the settings are below */
	const char *cache_dir;

	struct store *store, *logs;
	struct state_files state;
	bool is_state_read;
	struct home home;
	const char *state_url, *source_commit;
	bool has_state_login; /* the environment's login may go to state_url's server */
	struct tmpdir *keys;
	int64_t now_s;       /* the run's clock */
	int64_t marks_us[8]; /* --timings */
};

void context_init(struct context *context, const struct command *command,
		  const struct options *options, struct arena *arena);
void context_release(struct context *context);

/* Loads the manifests of args[0] (default ".") once, prints all problems. EXIT_DONE, EXIT_INVALID or EXIT_ERROR (said on stderr). */
int context_load(struct context *context);
/* Opens and reads the state. Absent branch: an empty state. EXIT_DONE or EXIT_STATE (said). */
int context_read_state(struct context *context);
/*
 * A branch of the manifests' repository, for commits of edits; absent, it begins at the commit that is checked out. Behind
 * context_read_state. The caller closes it.
 */
MUST_CHECK bool context_open_branch(struct context *context, const char *url, const char *branch,
				    struct store **out, struct err *err);
/* The branch of logs, when the settings keep them there; else nothing is opened. */
MUST_CHECK bool context_open_logs(struct context *context, struct err *err);
/* The folder of manifests, or where the repository of the state is looked for. */
const char *context_dir(const struct context *context);
/* --offline and --dry-run=offline: no server is asked, not for state either. */
bool context_is_offline(const struct context *context);
/* The folder that logs are kept in; NULL when the settings keep them elsewhere, or not at all. */
const char *context_log_folder(const struct context *context);
/* On stderr, with excerpts, through the redactor. */
void context_print_problems(const struct context *context, const struct diags *diags);
/*
 * Writes the result so far to stdout, through the redactor, and empties it. Gives `code` back, or EXIT_ERROR when that was
 * EXIT_DONE and it could not be written.
 */
int context_flush(struct context *context, int code);
/* Prints "reconcile: error: …" and gives back the exit code. */
int context_fail(const struct err *err, int code);

/* The namespace that -n says, else "default"; NULL with -A. */
const char *context_ns(const struct context *context);
/* The kind that the command's first word names. */
enum kind command_kind(const struct context *context);
/* True when -o is this one. */
bool context_is_output(const struct context *context, const char *format);

#endif
