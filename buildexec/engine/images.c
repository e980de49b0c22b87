/* SPDX-License-Identifier: Apache-2.0 */
/* images.c — see images.h: a walk over the instructions with the variables that are known at each. */
#include "buildexec/engine/images.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buildexec/engine/expand.h"

struct walk {
	const struct dockerfile *file;
	const struct pairs *args;
	struct arena *arena;
	struct docker_images *out;
	struct pairs global;  /* of before the first FROM */
	struct pairs stage;   /* of the stage we are in */
	struct strings names; /* of stages so far; by number "": it has none */
};

static bool is_blank(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

/* The next word of an instruction with its quotes; NULL at the end. */
static const char *next_word(const struct walk *w, const char **at)
{
	const char *start;
	char quote = '\0';

	while (is_blank(**at))
		(*at)++;
	start = *at;
	for (; **at && (quote || !is_blank(**at)); (*at)++) {
		if (**at == w->file->escape && quote != '\'' && (*at)[1])
			(*at)++;
		else if (quote ? **at == quote : **at == '\'' || **at == '"')
			quote = quote ? '\0' : **at;
	}
	return *at == start ? NULL : arena_copy(w->arena, start, (size_t)(*at - start));
}

static bool is_stage(const struct walk *w, const char *name, bool by_number)
{
	char digits[24];

	for (size_t i = 0; i < w->names.n; i++) {
		(void)snprintf(digits, sizeof(digits), "%zu", i);
		if (strcasecmp(w->names.v[i], name) == 0 ||
		    (by_number && strcmp(digits, name) == 0))
			return true;
	}
	return false;
}

static const char *expand(const struct walk *w, const char *word, const struct pairs *values)
{
	return docker_expand(word, w->file->escape, values, w->arena);
}

/* A value that is not known leaves the name undeclared. */
static void take_arg(struct walk *w, const char *word)
{
	bool is_global = w->file->n_stages && !w->names.n;
	struct pairs *values = is_global ? &w->global : &w->stage;
	const char *eq = strchr(word, '=');
	const char *name = eq ? arena_copy(w->arena, word, (size_t)(eq - word)) : word;
	const char *given = pairs_get(w->args, name);
	const char *value = given ? given : eq ? expand(w, eq + 1, values) : NULL;

	if (!given && !eq && !is_global)
		value = pairs_get(&w->global, name);
	if (value)
		docker_set(values, name, value, w->arena);
}

static void take_args(struct walk *w, const struct docker_instruction *arg)
{
	const char *at = arg->args, *word;

	while ((word = next_word(w, &at)) != NULL)
		take_arg(w, word);
}

static void add(struct walk *w, const struct docker_instruction *one, const char *name,
		const struct docker_image *image)
{
	struct docker_image added = *image;

	if (!name || !*name) {
		vec_push(w->arena, &w->out->unknown, image->name);
		return;
	}
	added.name = name;
	added.line = one->line;
	vec_push(w->arena, w->out, added);
}

static void take_from(struct walk *w, const struct docker_instruction *from)
{
	const char *name = expand(w, from->image.value, &w->global);
	struct docker_image image = { .name = from->image.value, .place = from->image };

	if (from->platform.value && *from->platform.value) {
		image.platform = expand(w, from->platform.value, &w->global);
		if (!image.platform)
			name = NULL;
	}
	if (!name || (strcmp(name, "scratch") != 0 && !is_stage(w, name, false)))
		add(w, from, name, &image);
	vec_push(w->arena, &w->names, from->stage.value ? from->stage.value : "");
	w->stage = (struct pairs){ 0 };
}

static void take_copy(struct walk *w, const struct docker_instruction *copy)
{
	const char *name = expand(w, copy->image.value, &w->stage);
	struct docker_image image = { .name = copy->image.value, .place = copy->image };

	if (!name || !is_stage(w, name, true))
		add(w, copy, name, &image);
}

/* "--mount=type=bind,from=NAME,…" */
static void take_mounts(struct walk *w, const struct docker_instruction *run)
{
	const char *at = run->args, *word;

	while ((word = next_word(w, &at)) != NULL && strncmp(word, "--", 2) == 0) {
		const char *from = strncmp(word, "--mount=", 8) == 0 ? word + 8 : NULL;

		while (from && strncmp(from, "from=", 5) != 0) {
			from = strchr(from, ',');
			from = from ? from + 1 : NULL;
		}
		if (!from)
			continue;
		from = arena_copy(w->arena, from + 5, strcspn(from + 5, ","));
		if (!is_stage(w, from, true))
			add(w, run, expand(w, from, &w->stage),
			    &(struct docker_image){ .name = from });
	}
}

static void set_platform_args(struct walk *w, const struct platform *host)
{
	static const char *const sides[] = { "TARGET", "BUILD" };
	const char *variant = host->variant ? host->variant : "";

	for (size_t i = 0; i < COUNTOF(sides); i++) {
		const struct {
			const char *name, *value;
		} rows[] = {
			{ "PLATFORM", arena_printf(w->arena, "%s/%s%s%s", host->os, host->arch,
						   *variant ? "/" : "", variant) },
			{ "OS", host->os },
			{ "ARCH", host->arch },
			{ "VARIANT", variant },
		};

		for (size_t k = 0; k < COUNTOF(rows); k++)
			docker_set(&w->global,
				   arena_printf(w->arena, "%s%s", sides[i], rows[k].name),
				   rows[k].value, w->arena);
	}
}

void docker_images_find(const struct dockerfile *file, const struct pairs *args,
			const struct platform *host, struct arena *arena, struct docker_images *out)
{
	struct walk w = { .file = file, .args = args, .arena = arena, .out = out };

	*out = (struct docker_images){ 0 };
	set_platform_args(&w, host);
	for (size_t i = 0; i < file->n; i++) {
		const struct docker_instruction *one = &file->v[i];

		if (strcmp(one->name, "FROM") == 0)
			take_from(&w, one);
		else if (strcmp(one->name, "ARG") == 0)
			take_args(&w, one);
		else if (strcmp(one->name, "COPY") == 0 && one->image.value)
			take_copy(&w, one);
		else if (strcmp(one->name, "RUN") == 0)
			take_mounts(&w, one);
	}
}

void docker_images_replace(const struct dockerfile *file, const struct docker_images *images,
			   const struct strings *names, struct buf *out)
{
	size_t done = 0;

	for (size_t i = 0; i < images->n; i++) {
		const struct docker_span *place = &images->v[i].place;

		if (!place->value || place->start < done)
			continue;
		buf_add(out, file->text + done, place->start - done);
		buf_puts(out, names->v[i]);
		done = place->end;
	}
	buf_add(out, file->text + done, file->len - done);
}

/* Both with runs of blanks as one; ends on a blank do not count. */
static bool same_words(const char *a, const char *b)
{
	for (;;) {
		bool is_gap = false;

		while (is_blank(*a)) {
			a++;
			is_gap = true;
		}
		if (is_gap != is_blank(*b) && *a && *b)
			return false;
		while (is_blank(*b))
			b++;
		if (*a != *b || !*a)
			return *a == *b;
		a++;
		b++;
	}
}

uint32_t dockerfile_line_of(const struct dockerfile *file, const char *instruction)
{
	size_t n = strcspn(instruction, " \t");
	uint32_t line = 0;

	for (size_t i = 0; i < file->n; i++) {
		const struct docker_instruction *one = &file->v[i];

		if (strlen(one->name) != n || strncasecmp(one->name, instruction, n) != 0 ||
		    !same_words(one->args, instruction + n + strspn(instruction + n, " \t")))
			continue;
		if (line)
			return 0;
		line = one->line;
	}
	return line;
}
