/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile_change.c — the text of a Dockerfile with OpenShift's changes (openshift.md §3.7). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buildexec/docker/dockerfile_change.h"

struct writer {
	const struct dockerfile *file;
	const struct docker_changes *changes;
	struct buf *out;
	size_t done; /* bytes of the text that are written or left out */
};

static void copy_to(struct writer *w, size_t end)
{
	if (end > w->done)
		buf_add(w->out, w->file->text + w->done, end - w->done);
	w->done = end > w->done ? end : w->done;
}

static void put_instead(struct writer *w, const struct docker_span *span, const char *text)
{
	copy_to(w, span->start);
	buf_puts(w->out, text);
	w->done = span->end;
}

/* Without the escapes at the very end of the text: they would take what follows into their instruction. */
static void put_rest_of(struct writer *w, size_t end)
{
	const struct dockerfile *file = w->file;
	bool is_comment = false, is_start = false;

	copy_to(w, end < file->dangling ? end : file->dangling);
	for (; w->done < end; w->done++) {
		char ch = file->text[w->done];

		is_comment = is_comment || (is_start && ch == '#');
		is_start = ch == '\n' || (is_start && (ch == ' ' || ch == '\t' || ch == '\r'));
		is_comment = is_comment && ch != '\n';
		if (ch != file->escape || is_comment)
			buf_byte(w->out, ch);
	}
}

static void end_line(struct writer *w)
{
	buf_puts(w->out, w->file->has_crlf ? "\r\n" : "\n");
}

static void finish_line(struct writer *w)
{
	if (w->out->len && w->out->data[w->out->len - 1] != '\n')
		end_line(w);
}

/*
 * In double quotes, so that the engine reads the same text: line breaks, which no line can hold, become \n, as OpenShift
 * writes them.
 */
static void put_quoted(struct writer *w, const char *text, bool may_expand)
{
	buf_byte(w->out, '"');
	for (; *text; text++) {
		unsigned char ch = (unsigned char)*text;

		if (ch == '\n' || ch == '\r') {
			buf_puts(w->out, ch == '\n' ? "\\n" : "\\r");
			continue;
		}
		if (ch < ' ' && ch != '\t') {
			buf_printf(w->out, "\\x%02x", ch);
			continue;
		}
		if (ch == '"' || *text == w->file->escape || (ch == '$' && !may_expand))
			buf_byte(w->out, w->file->escape);
		buf_byte(w->out, *text);
	}
	buf_byte(w->out, '"');
}

static void put_pairs(struct writer *w, const char *instruction, const struct list *pairs)
{
	if (!pairs->n)
		return;
	buf_puts(w->out, instruction);
	for (size_t i = 0; i < pairs->n; i++) {
		const struct docker_pair *pair = LIST_AT(*pairs, struct docker_pair, i);

		buf_byte(w->out, ' ');
		put_quoted(w, pair->name, false);
		buf_byte(w->out, '=');
		put_quoted(w, pair->value ? pair->value : "", pair->may_expand);
	}
	end_line(w);
}

/* Stages are known by name, in any case, and by number, once their FROM was seen. */
static bool is_stage(const struct dockerfile *file, size_t before, const char *name)
{
	size_t number = 0;

	for (size_t i = 0; i < before; i++) {
		const struct docker_instruction *one = &file->v[i];
		char digits[24];

		if (strcmp(one->name, "FROM") != 0)
			continue;
		(void)snprintf(digits, sizeof(digits), "%zu", number++);
		if (strcmp(digits, name) == 0 ||
		    (one->stage.value && strcasecmp(one->stage.value, name) == 0))
			return true;
	}
	return false;
}

static void put_from(struct writer *w, const struct docker_instruction *from, bool is_last)
{
	const char *image = is_last && w->changes->from ? w->changes->from : from->image.value;
	const char *other = pairs_get(&w->changes->images, image);

	image = other ? other : image;
	if (strcmp(image, from->image.value) != 0)
		put_instead(w, &from->image, image);
	if (!w->changes->env.n)
		return;
	put_rest_of(w, from->end);
	finish_line(w);
	put_pairs(w, "ENV", &w->changes->env);
}

static void put_copy(struct writer *w, size_t i)
{
	const struct docker_instruction *copy = &w->file->v[i];
	const char *image =
		copy->image.value ? pairs_get(&w->changes->images, copy->image.value) : NULL;

	if (image && !is_stage(w->file, i, copy->image.value))
		put_instead(w, &copy->image, image);
}

static bool is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\'' || *p == '\\' || *p == '`')
			return false;
	return *text != '\0';
}

static bool images_fit(const struct docker_changes *changes, struct err *err)
{
	if (changes->from && !is_word(changes->from))
		return err_set(err, ERR_INVALID, "'%s' is no image for a Dockerfile",
			       changes->from);
	for (size_t i = 0; i < changes->images.n; i++)
		if (!is_word(changes->images.v[i].value))
			return err_set(err, ERR_INVALID, "'%s' is no image for a Dockerfile",
				       changes->images.v[i].value);
	return true;
}

bool dockerfile_change(const struct dockerfile *file, const struct docker_changes *changes,
		       struct buf *out, struct err *err)
{
	struct writer w = { .file = file, .changes = changes, .out = out };
	size_t n_seen = 0;

	if (!file->n_stages)
		return err_set(err, ERR_INVALID, "no FROM instruction in the Dockerfile");
	if (!images_fit(changes, err))
		return false;
	for (size_t i = 0; i < file->n; i++) {
		if (strcmp(file->v[i].name, "FROM") == 0)
			put_from(&w, &file->v[i], ++n_seen == file->n_stages);
		else if (strcmp(file->v[i].name, "COPY") == 0)
			put_copy(&w, i);
	}
	if (changes->last_env.n || changes->labels.n) {
		put_rest_of(&w, file->len);
		finish_line(&w);
		put_pairs(&w, "ENV", &changes->last_env);
		put_pairs(&w, "LABEL", &changes->labels);
	}
	copy_to(&w, file->len);
	if (out->is_over)
		return err_set(err, ERR_INVALID, "the changed Dockerfile is too long");
	return true;
}
