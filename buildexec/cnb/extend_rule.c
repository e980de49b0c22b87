/* SPDX-License-Identifier: Apache-2.0 */
/* extend_rule.c — see extend_rule.h. */
#include "buildexec/cnb/extend_rule.h"

#include <string.h>

#include "buildexec/cnb/app_metadata.h"
#include "model/base/digest.h"

#define BASE_ARG "base_image"
#define BASE_REF "${" BASE_ARG "}"

static const struct instruction {
	const char *name;
	bool is_advised, makes_layer, may_make_layer;
} instructions[] = {
	/* clang-format off */
	{ "FROM",        true,  false, false },
	{ "ADD",         true,  true,  true  },
	{ "ARG",         true,  false, false },
	{ "COPY",        true,  true,  true  },
	{ "ENV",         true,  false, false },
	{ "LABEL",       true,  false, false },
	{ "RUN",         true,  true,  true  },
	{ "SHELL",       true,  false, false },
	{ "USER",        true,  false, false },
	{ "WORKDIR",     true,  false, true  }, /* where the folder is not there */
	{ "CMD",         false, false, false },
	{ "ENTRYPOINT",  false, false, false },
	{ "EXPOSE",      false, false, false },
	{ "HEALTHCHECK", false, false, false },
	{ "MAINTAINER",  false, false, false },
	{ "ONBUILD",     false, false, false },
	{ "STOPSIGNAL",  false, false, false },
	{ "VOLUME",      false, false, false },
	/* clang-format on */
};

static const char *const kinds[] = { [EXTEND_BUILD] = "build", [EXTEND_RUN] = "run" };
_Static_assert(COUNTOF(kinds) == EXTEND_KINDS, "a name for each kind");

const char *extend_kind_name(enum extend_kind kind)
{
	return kinds[kind];
}

static const struct instruction *instruction_named(const char *name)
{
	for (size_t i = 0; i < COUNTOF(instructions); i++)
		if (strcmp(instructions[i].name, name) == 0)
			return &instructions[i];
	return NULL;
}

/* ---- what a file may say ---- */

static bool refuse(const struct extend_file *file, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s.Dockerfile %s", kinds[file->kind], why);
}

/* The next word of an ARG up to its '='. */
static size_t next_name(const char **at, const char **name)
{
	size_t n;

	*at += strspn(*at, " \t");
	*name = *at;
	n = strcspn(*at, "= \t");
	*at += strcspn(*at, " \t");
	return n;
}

static bool arg_has(const struct docker_instruction *arg, const char *wanted)
{
	const char *at = arg->args, *name;

	while (*at) {
		size_t n = next_name(&at, &name);

		if (n == strlen(wanted) && strncmp(name, wanted, n) == 0)
			return true;
	}
	return false;
}

bool extend_declares(const struct dockerfile *file, const char *name)
{
	for (size_t i = 0; i < file->n; i++)
		if (strcmp(file->v[i].name, "ARG") == 0 && arg_has(&file->v[i], name))
			return true;
	return false;
}

/* "ARG base_image", and nothing else before FROM. */
static bool begins_right(const struct dockerfile *file)
{
	const struct docker_instruction *arg = &file->v[0];
	const char *at, *name;

	if (file->n < 2 || strcmp(arg->name, "ARG") != 0 || strcmp(file->v[1].name, "FROM") != 0)
		return false;
	at = arg->args;
	return next_name(&at, &name) == strlen(BASE_ARG) &&
	       strncmp(name, BASE_ARG, strlen(BASE_ARG)) == 0;
}

static bool check_from(struct extend_file *file, const struct docker_instruction *from,
		       struct err *err)
{
	const char *image = from->image.value;

	if (file->kind == EXTEND_BUILD)
		return strcmp(image, BASE_REF) == 0 ||
		       refuse(file, "did not contain required FROM " BASE_REF " command", err);
	if (strcmp(image, BASE_REF) == 0)
		return true;
	if (strchr(image, '$'))
		return err_set(
			err, ERR_INVALID,
			"run.Dockerfile begins with FROM %s: it may be an image or " BASE_REF,
			image);
	file->new_base = image;
	return true;
}

static bool check_instructions(struct extend_file *file, struct arena *arena,
			       struct strings *warnings, struct err *err)
{
	bool has_from = false;

	for (size_t i = 0; i < file->text.n; i++) {
		const struct docker_instruction *one = &file->text.v[i];
		const struct instruction *known = instruction_named(one->name);

		if (!known)
			return err_set(err, ERR_INVALID,
				       "%s.Dockerfile: line %u: unknown instruction: %.40s",
				       kinds[file->kind], one->line, one->name);
		if (!known->is_advised)
			vec_push(arena, warnings,
				 arena_printf(arena,
					      "%s.Dockerfile command %s on line %u is not "
					      "recommended",
					      kinds[file->kind], one->name, one->line));
		if (strcmp(one->name, "FROM") == 0) {
			has_from = true;
			if (!check_from(file, one, err))
				return false;
		} else if (has_from) {
			file->has_changes = true;
		} else if (strcmp(one->name, "ARG") != 0) {
			return err_set(err, ERR_INVALID,
				       "%s.Dockerfile: line %u: %s stands before FROM",
				       kinds[file->kind], one->line, one->name);
		}
	}
	return true;
}

bool extend_file_check(struct extend_file *file, struct arena *arena, struct strings *warnings,
		       struct err *err)
{
	file->new_base = NULL;
	file->has_changes = false;
	if (file->text.n_stages > 1)
		return refuse(file, "is not permitted to use multistage build", err);
	if (file->text.n_stages == 0)
		return refuse(file, "should have at least one stage", err);
	if (file->kind == EXTEND_BUILD && !begins_right(&file->text))
		return refuse(file, "did not start with required ARG command (ARG " BASE_ARG ")",
			      err);
	return check_instructions(file, arena, warnings, err);
}

/* ---- extend-config.toml ---- */

static bool is_ours(const char *name)
{
	static const char *const ours[] = { "build_id", "user_id", "group_id" };

	for (size_t i = 0; i < COUNTOF(ours); i++)
		if (strcmp(ours[i], name) == 0)
			return true;
	return false;
}

static bool read_arg(const struct node *item, struct arena *arena, struct pairs *out,
		     struct err *err)
{
	const char *name = item->kind == NODE_MAP ? node_text(item, "name") : NULL;
	const char *value = name ? node_text(item, "value") : NULL;

	if (!name || !name[0] || !value)
		return err_set(err, ERR_INVALID,
			       "extend-config.toml: an argument lacks name or value");
	if (is_ours(name))
		return err_set(err, ERR_INVALID,
			       "extend-config.toml: invalid content: arg with name '%s' is not "
			       "allowed",
			       name);
	vec_push(arena, out, (struct pair){ .key = name, .value = value });
	return true;
}

bool extend_config_read(const struct node *toml, enum extend_kind kind, struct arena *arena,
			struct pairs *out, struct err *err)
{
	const struct node *table = toml ? node_get(toml, kinds[kind]) : NULL;
	const struct node *args = table && table->kind == NODE_MAP ? node_get(table, "args") : NULL;

	*out = (struct pairs){ 0 };
	if ((table && table->kind != NODE_MAP) || (args && args->kind != NODE_SEQ))
		return err_set(err, ERR_INVALID,
			       "extend-config.toml: '%s.args' is no list of tables", kinds[kind]);
	for (const struct node *item = args ? args->first : NULL; item; item = item->next)
		if (!read_arg(item, arena, out, err))
			return false;
	return true;
}

/* ---- what they ask for together ---- */

const struct extend_file *extend_choose_run(struct extend_files *files)
{
	const struct extend_file *chosen = NULL;

	for (size_t i = files->n; i-- > 0;) {
		struct extend_file *file = &files->v[i];

		if (file->kind != EXTEND_RUN)
			continue;
		file->is_ignored = chosen != NULL;
		if (!chosen && file->new_base)
			chosen = file;
	}
	return chosen;
}

bool extend_is_due(const struct extend_files *files, enum extend_kind kind)
{
	for (size_t i = 0; i < files->n; i++)
		if (files->v[i].kind == kind && files->v[i].has_changes && !files->v[i].is_ignored)
			return true;
	return false;
}

/* ---- what an image says ---- */

bool extend_is_rebasable(const struct pairs *labels)
{
	/* As Go's strconv.ParseBool reads it. */
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	const char *value = pairs_get(labels, LABEL_REBASABLE);

	for (size_t i = 0; value && i < COUNTOF(yes); i++)
		if (strcmp(yes[i], value) == 0)
			return true;
	return false;
}

void extend_split_user(const char *user, struct arena *arena, const char **uid, const char **gid)
{
	size_t n = user ? strcspn(user, ":") : 0;

	*uid = user ? arena_copy(arena, user, n) : "";
	*gid = user && user[n] ? arena_copy(arena, user + n + 1, strcspn(user + n + 1, ":")) : "";
}

bool extend_is_root(const char *uid)
{
	return strcmp(uid, "0") == 0 || strcmp(uid, "root") == 0;
}

/* ---- layers ---- */

/* The instructions of a file that make layers; by `is_wide` also those that may. */
static size_t layer_makers(const struct extend_file *file, bool is_wide,
			   const struct docker_instruction **out)
{
	size_t n = 0;

	for (size_t i = 0; i < file->text.n; i++) {
		const struct instruction *known = instruction_named(file->text.v[i].name);

		if (known && (is_wide ? known->may_make_layer : known->makes_layer))
			out[n++] = &file->text.v[i];
	}
	return n;
}

void extend_name_layers(const struct extend_file *file, size_t n, struct arena *arena,
			struct strings *out)
{
	const struct docker_instruction **makers =
		arena_array(arena, file->text.n + 1, sizeof(const struct docker_instruction *));
	bool fits = layer_makers(file, false, makers) == n || layer_makers(file, true, makers) == n;

	for (size_t i = 0; i < n; i++) {
		const char *made =
			fits ? arena_printf(arena, "%s %s", makers[i]->name, makers[i]->args)
			     : arena_printf(arena, "%s.Dockerfile", kinds[file->kind]);

		vec_push(arena, out,
			 arena_printf(arena, "Layer: '%s', Created by extension: %s", made,
				      file->id));
	}
}

const char *extend_uuid(const char *text, struct arena *arena)
{
	const struct digest digest = digest_of(text, strlen(text));
	const char *hex = digest_hex(digest.text);

	return arena_printf(arena, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15,
			    hex + 18);
}
