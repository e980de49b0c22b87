/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c — finds the place that a field path names, and the rules that several kinds share.
 * Texts: knative.dev/pkg/apis FieldError, k8s.io/apimachinery validation (kpack.md §2.4).
 */
#include "model/kind/check.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind/stream_check.h"
#include "model/oci/ref.h"

enum { STEP_BYTES = 256, LABEL_MAX = 63, SUBDOMAIN_MAX = 253 };

static const struct node *child_at(const struct node *seq, size_t i)
{
	const struct node *child = seq->kind == NODE_SEQ ? seq->first : NULL;

	for (; child && i; i--)
		child = child->next;
	return child;
}

/* Takes one step ("name" or "[0]" or "[key.with.dots]") off the path; false at its end or when it
 * is too long. */
static bool next_step(const char **path, char step[STEP_BYTES], bool *is_bracket)
{
	const char *p = *path;
	size_t n;

	p += *p == '.';
	*is_bracket = *p == '[';
	p += *is_bracket;
	n = strcspn(p, *is_bracket ? "]" : ".[");
	if (!n || n >= STEP_BYTES)
		return false;
	memcpy(step, p, n);
	step[n] = '\0';
	p += n;
	*path = p + (*is_bracket && *p == ']');
	return true;
}

const struct node *check_locate(const struct node *document, const char *path, bool *exact)
{
	const struct node *at = document;
	char step[STEP_BYTES];
	bool is_bracket;

	*exact = true;
	while (next_step(&path, step, &is_bracket)) {
		const struct node *child = is_bracket && at->kind == NODE_SEQ
						   ? child_at(at, strtoul(step, NULL, 10))
						   : node_get(at, step);

		if (!child) {
			*exact = false;
			break;
		}
		at = child;
	}
	return at;
}

static void PRINTF(4, 0) say(const struct checker *c, enum severity severity, const char *path,
			     const char *fmt, va_list args)
{
	bool exact;
	const struct node *at = check_locate(c->object->tree, path, &exact);
	bool is_scalar = at->kind != NODE_MAP && at->kind != NODE_SEQ;
	/* What is missing is missed at the key that should hold it; a container begins at its key.
	 */
	bool at_key = !(exact && is_scalar) && at->key && at->key_pos.line;
	uint32_t width = at_key ? (uint32_t)strlen(at->key) : 1;

	if (!at_key && is_scalar && at->pos.line == at->end.line && at->end.column > at->pos.column)
		width = at->end.column - at->pos.column;
	diag_add(c->diags, severity, "invalid-field", c->object->file,
		 at_key ? at->key_pos : at->pos, width, "%s", arena_vprintf(c->arena, fmt, args));
}

void check_fail(const struct checker *c, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(c, SEVERITY_ERROR, path, fmt, args);
	va_end(args);
}

void check_warn(const struct checker *c, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(c, SEVERITY_WARNING, path, fmt, args);
	va_end(args);
}

void check_invalid(const struct checker *c, const char *path, const char *value,
		   const char *details)
{
	check_fail(c, path, "invalid value: %s: %s%s%s", value, path, details ? "\n" : "",
		   details ? details : "");
}

bool check_present(const struct checker *c, const char *path, const char *value)
{
	if (value && *value)
		return true;
	check_fail(c, path, "missing field(s): %s", path);
	return false;
}

bool check_filled(const struct checker *c, const char *path, const char *value)
{
	return value && check_present(c, path, value);
}

void check_tag(const struct checker *c, const char *path, const char *value)
{
	struct err err = { 0 };
	struct ref ref;

	if (value && *value && (!ref_parse(value, c->arena, &ref, &err) || ref.digest))
		check_invalid(c, path, value, NULL);
}

void check_image(const struct checker *c, const char *path, const char *value)
{
	struct err err = { 0 };
	struct ref ref;

	if (value && *value && !ref_parse(value, c->arena, &ref, &err))
		check_invalid(c, path, value, NULL);
}

void check_account_ref(const struct checker *c, const char *path, const struct object_ref *ref)
{
	bool exact;

	check_locate(c->object->tree, path, &exact);
	if (!exact)
		return;
	if (!ref->name || !*ref->name)
		check_fail(c, path, "missing field(s): %s.name", path);
	else if (!ref->ns || !*ref->ns)
		check_fail(c, path, "missing field(s): %s.namespace", path);
}

static bool is_alnum(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* Letters, digits and `others`, and a letter or digit at both ends. */
static bool is_name(const char *text, const char *others, bool may_be_upper)
{
	size_t n = strlen(text);

	if (!n || !is_alnum(text[0]) || !is_alnum(text[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(text[i]) && !strchr(others, text[i]))
			return false;
		if (!may_be_upper && text[i] >= 'A' && text[i] <= 'Z')
			return false;
	}
	return true;
}

/* kpack puts the name of an Image into a label of its builds (kpack.md §2.4). */
static bool image_name_passes(const struct checker *c, const char *name)
{
	bool is_long = strlen(name) > LABEL_MAX, is_bad = !is_name(name, "-_.", true);

	if (!is_long && !is_bad)
		return true;
	check_fail(
		c, "metadata.name",
		"invalid image name: %s, name must be a valid label: metadata.name\n%s%s%s", name,
		is_long ? "must be no more than 63 characters" : "", is_long && is_bad ? "," : "",
		is_bad ? "a valid label must be an empty string or consist of alphanumeric "
			 "characters, "
			 "'-', '_' or '.', and must start and end with an alphanumeric character "
			 "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
			 "is "
			 "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
		       : "");
	return false;
}

bool check_name_is_valid(const char *name)
{
	return strlen(name) <= SUBDOMAIN_MAX && is_name(name, "-.", false);
}

bool name_is_label(const char *name)
{
	return strlen(name) <= LABEL_MAX && is_name(name, "-", false);
}

void check_names(const struct checker *c)
{
	const struct meta *meta = &c->object->meta;

	if (c->object->kind >= KIND_IMAGE_STREAM && c->object->kind <= KIND_IMAGE_STREAM_IMPORT)
		stream_names_check(c);
	else if (check_filled(c, "metadata.name", meta->name) &&
		 (c->object->kind != KIND_IMAGE || image_name_passes(c, meta->name)) &&
		 !check_name_is_valid(meta->name))
		check_invalid(c, "metadata.name", meta->name,
			      "must be at most 253 lower case letters, digits, '-' or '.', and "
			      "start and end "
			      "with a letter or digit");
	if (meta->ns && *meta->ns && !name_is_label(meta->ns))
		check_invalid(c, "metadata.namespace", meta->ns,
			      "must be at most 63 lower case letters, digits or '-', and start and "
			      "end with "
			      "a letter or digit");
}
