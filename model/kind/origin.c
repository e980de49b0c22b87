/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c — paths below a work tree and commits, and the annotations that hold them. */
#include "model/kind/origin.h"

#include <string.h>

#include "model/base/time.h"
#include "model/doc/utf8.h"

#define MANIFEST   "reconcile.dev/manifest"
#define REPOSITORY "reconcile.dev/origin"
#define SOURCE     "reconcile.dev/manifest-commit"
#define TIME       "reconcile.dev/manifest-time"

enum { PATH_BYTES = 4096, COMMIT_HEX = 40, COMMIT_HEX_LONG = 64 };

static bool is_text(const char *text)
{
	size_t n = strlen(text), step;

	for (size_t at = 0; at < n; at += step) {
		uint32_t c;

		step = utf8_get(text + at, n - at, &c);
		if (!step || utf8_is_control(c))
			return false;
	}
	return n > 0 && n < PATH_BYTES;
}

bool origin_path_is_valid(const char *path)
{
	if (!is_text(path))
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!n || (n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct origin origin_of(const struct scope *scope, const struct object *object, struct arena *arena)
{
	struct origin origin = { .repo = scope->repo,
				 .source = scope->source,
				 .source_s = scope->source_s };
	size_t n = scope->shown ? strlen(scope->shown) : 0;
	const char *path = object->file ? object->file->path : NULL;

	if (!scope->folder || !path || strncmp(path, scope->shown, n) != 0 ||
	    (n && path[n] && path[n] != '/' && path[n - 1] != '/'))
		return (struct origin){ 0 };
	for (path += n; *path == '/';)
		path++;
	if (*scope->folder && *path)
		path = arena_printf(arena, "%s/%s", scope->folder, path);
	else if (*scope->folder)
		path = scope->folder;
	if (!origin_path_is_valid(path))
		return (struct origin){ 0 };
	origin.manifest = path;
	return origin;
}

bool origin_equal(const struct origin *a, const struct origin *b)
{
	return is_same(a->repo, b->repo) && is_same(a->manifest, b->manifest);
}

bool scope_has_repo(const struct scope *scope, const struct origin *origin)
{
	return scope->folder && origin->manifest && is_same(scope->repo, origin->repo);
}

bool scope_is_older(const struct scope *scope, const struct origin *origin)
{
	return origin->source && scope_has_repo(scope, origin) &&
	       map_has(&scope->newer, origin->source);
}

bool scope_holds(const struct scope *scope, const struct origin *origin)
{
	size_t n = scope->folder ? strlen(scope->folder) : 0;

	return scope_has_repo(scope, origin) &&
	       (!n || (strncmp(origin->manifest, scope->folder, n) == 0 &&
		       (origin->manifest[n] == '/' || !origin->manifest[n])));
}

void origin_encode(const struct origin *origin, struct node *metadata, struct arena *arena)
{
	struct node *annotations = metadata->first;
	char time[TIME_TEXT];

	if (!origin->manifest)
		return;
	while (annotations && strcmp(annotations->key, "annotations") != 0)
		annotations = annotations->next;
	if (!annotations) {
		annotations = node_new(arena, NODE_MAP);
		node_set(arena, metadata, "annotations", annotations);
	}
	node_set_text(arena, annotations, MANIFEST, origin->manifest);
	node_set_text(arena, annotations, REPOSITORY, origin->repo);
	node_set_text(arena, annotations, SOURCE, origin->source);
	if (!origin->source || !origin->source_s)
		return;
	time_format(origin->source_s, time);
	node_set_text(arena, annotations, TIME, time);
}

static bool is_commit(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return (n == COMMIT_HEX || n == COMMIT_HEX_LONG) && !text[n];
}

struct origin origin_read(const struct node *document)
{
	const struct node *annotations = node_get(node_get(document, "metadata"), "annotations");
	struct origin origin = { .repo = node_text(annotations, REPOSITORY),
				 .manifest = node_text(annotations, MANIFEST) };
	const char *source = node_text(annotations, SOURCE), *time = node_text(annotations, TIME);

	if (!origin.manifest || !origin_path_is_valid(origin.manifest) ||
	    (origin.repo && !is_text(origin.repo)))
		return (struct origin){ 0 };
	if (!source || !is_commit(source))
		return origin;
	origin.source = source;
	if (!time || !time_parse(time, &origin.source_s))
		origin.source_s = 0;
	return origin;
}
