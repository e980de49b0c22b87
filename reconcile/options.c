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
	{ "jobs", 'j', OPTION_NUMBER, O(jobs), "N", NULL, NULL, FOR_RUN,
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
	  "delete the records of objects whose manifests are gone; more than half of them only with --prune=all" },
	{ "write", 0, OPTION_MAYBE, O(write), "none|files|commit", "none|files|commit", "files", FOR_RUN,
	  "write edits of image fields: in place, or as a commit to the manifests' repository (default: none, they are shown)" },
	{ "offline", 0, OPTION_FLAG, O(offline), NULL, NULL, NULL, FOR_RUN,
	  "ask no server: recorded values stand in for what was not asked" },
	{ "strict", 0, OPTION_FLAG, O(is_strict), NULL, NULL, NULL, FOR_RUN | FOR_LOAD | FOR_EDIT,
	  "unknown fields are errors" },
	{ "now", 0, OPTION_TEXT, O(now), "RFC3339", NULL, NULL, FOR_RUN | FOR_STATE,
	  "the run's clock, for schedules and tests" },
	{ "author", 0, OPTION_TEXT, O(author), "'NAME <EMAIL>'", NULL, NULL, FOR_RUN,
	  "author of state commits" },
	{ "cache-dir", 0, OPTION_TEXT, O(cache_dir), "DIR", NULL, NULL, FOR_RUN | FOR_STATE,
	  "where layers, commits and build caches are kept (default: $XDG_CACHE_HOME/reconcile)" },
	{ "output", 'o', OPTION_CHOICE, O(output), "FORMAT", "text|json|yaml|wide|dot|mermaid", NULL, FOR_RUN | FOR_TABLE | FOR_EDIT,
	  "format of the result" },
	{ "namespace", 'n', OPTION_TEXT, O(ns), "NAME", NULL, NULL, FOR_NS | FOR_EDIT,
	  "namespace (default: default)" },
	{ "all-namespaces", 'A', OPTION_FLAG, O(all_namespaces), NULL, NULL, NULL, FOR_NS,
	  "all namespaces" },
	{ "build", 'b', OPTION_NUMBER, O(build), "NUMBER", NULL, NULL, FOR_BUILD,
	  "number of the build (default: the latest)" },
	{ "manifests", 0, OPTION_TEXT, O(manifests), "DIR", NULL, NULL, FOR_EDIT,
	  "folder (or file) of the manifests to edit (default: .)" },
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

static bool read_environment(struct parser *p)
{
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];
		const char *name = option_variable(row, p->arena);
		const char *value = proc_getenv(name);

		if (!value || !option_takes(p->command, row) ||
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

/* Takes the next word as the value where the option needs one. */
static bool read_long(struct parser *p, const char *word, const char *const **next)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = NULL;

	for (size_t i = 0; i < n_option_rows; i++)
		if (strlen(option_rows[i].name) == n &&
		    strncmp(option_rows[i].name, name, n) == 0 &&
		    option_takes(p->command, &option_rows[i]))
			row = &option_rows[i];
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

static bool read_short(struct parser *p, const char *word, const char *const **next)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option_row *row = NULL;
		char name[3] = { '-', *at, '\0' };

		for (size_t i = 0; i < n_option_rows; i++)
			if (option_rows[i].letter == *at &&
			    option_takes(p->command, &option_rows[i]))
				row = &option_rows[i];
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

/* The command whose words come first among the arguments; the main job when none does. */
static const struct command *find_command(const char *const *argv, size_t *n_words)
{
	const struct command *found = &commands[0];

	*n_words = 0;
	for (size_t i = 1; i < n_commands; i++) {
		const char *at = commands[i].words;
		size_t n = 0;

		while (at && argv[n] && strlen(argv[n]) == strcspn(at, " ") &&
		       strncmp(argv[n], at, strlen(argv[n])) == 0) {
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

		if (commands[i].words[n] == ' ' && strlen(argv[0]) == n &&
		    strncmp(argv[0], commands[i].words, n) == 0)
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
	return err_set(err, ERR_INVALID, "'reconcile %s' needs one of: %s …", argv[0], names[0]);
}

const char *command_outputs(const struct command *command)
{
	return command->outputs ? command->outputs : "text|json|yaml";
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
