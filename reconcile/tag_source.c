/* SPDX-License-Identifier: Apache-2.0 */
/* tag_source.c — oc's rules of `tag`, in the order in which oc finds fault. */
#include "reconcile/tag_source.h"

#include <ctype.h>
#include <string.h>

#include "model/doc/diag.h"

#define IMAGE_KIND  "DockerImage"
#define TAG_KIND    "ImageStreamTag"
#define STORED_KIND "ImageStreamImage"

enum { TAG_BYTES = 128 };

bool option_is_on(const char *value)
{
	return value && strcmp(value, "true") == 0;
}

static const char *kind_of_word(const char *word)
{
	static const struct {
		const char *word, *kind;
	} words[] = { { "imagestreamtag", TAG_KIND },
		      { "istag", TAG_KIND },
		      { "imagestreamimage", STORED_KIND },
		      { "isimage", STORED_KIND },
		      { "docker", IMAGE_KIND },
		      { "dockerimage", IMAGE_KIND } };

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].kind;
	return NULL;
}

static const char *infer_kind(const struct docker_ref *ref)
{
	if (*ref->registry)
		return IMAGE_KIND;
	if (*ref->id)
		return STORED_KIND;
	return *ref->tag ? TAG_KIND : IMAGE_KIND;
}

/* What --source says must fit to what is given. */
static bool check_said_kind(const struct tag_source *source, struct err *err)
{
	if (strcmp(source->kind, IMAGE_KIND) == 0)
		return true;
	if (*source->ref.registry)
		return err_set(err, ERR_INVALID,
			       "server in SOURCE is only allowed when providing a container image");
	if (strcmp(source->kind, TAG_KIND) == 0 && !*source->ref.tag)
		return err_set(err, ERR_INVALID,
			       "--source=ImageStreamTag requires a valid <name>:<tag> in SOURCE");
	if (strcmp(source->kind, STORED_KIND) == 0 && !*source->ref.id)
		return err_set(err, ERR_INVALID,
			       "--source=ImageStreamImage requires a valid <name>@<id> in SOURCE");
	return true;
}

/*
 * "stream@12ab": ids of a stream's images may be cut short, which no reference may be. Nothing that has an '@' and is not a
 * reference can be anything else.
 */
static bool parse_short_id(const char *text, struct arena *arena, struct docker_ref *out)
{
	const char *at = strrchr(text, '@'), *slash = strrchr(text, '/');
	struct err err = { 0 };

	if (!at || !at[1] || strpbrk(at, "/ ") || (slash && slash > at))
		return false;
	if (!docker_ref_parse(arena_copy(arena, text, (size_t)(at - text)), arena, out, &err) ||
	    *out->registry || *out->tag)
		return false;
	out->id = arena_strdup(arena, at + 1);
	return true;
}

bool tag_source_parse(const char *text, const char *kind, struct arena *arena,
		      struct tag_source *out, struct err *err)
{
	*out = (struct tag_source){ .text = text };
	if (kind && !(out->kind = kind_of_word(kind)))
		return err_set(err, ERR_INVALID,
			       "invalid source \"%s\"; valid values are docker, dockerimage, "
			       "imagestreamimage, imagestreamtag, isimage, istag",
			       kind);
	if (!docker_ref_parse(text, arena, &out->ref, err) &&
	    !parse_short_id(text, arena, &out->ref))
		return err_prefix(err, "invalid SOURCE");
	*err = (struct err){ 0 };
	if (kind)
		return check_said_kind(out, err);
	out->kind = infer_kind(&out->ref);
	return true;
}

bool tag_name_check(const char *tag, struct err *err)
{
	bool is_good = isalnum((unsigned char)*tag) || *tag == '_';

	for (const char *c = tag; *c && is_good; c++)
		is_good = isalnum((unsigned char)*c) || strchr("_.-", *c);
	if (is_good && strlen(tag) <= TAG_BYTES)
		return true;
	return err_set(err, ERR_INVALID,
		       "invalid tag \"%s\" format, tags must start with an alphanumeric character "
		       "followed by alphanumeric, '.' or '-' characters, and have a maximum of 128 "
		       "characters",
		       tag);
}

bool tag_target_parse(const char *text, const char *ns, struct arena *arena, struct tag_target *out,
		      struct err *err)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;
	size_t n = strcspn(name, ":");

	*out = (struct tag_target){ .text = name, .ns = ns };
	if (slash && strchr(name, '/'))
		return err_set(err, ERR_INVALID, "invalid image stream \"%s\"", text);
	if (slash == text)
		return err_set(err, ERR_INVALID, "invalid namespace \"\" for image stream \"%s\"",
			       text);
	if (slash)
		out->ns = arena_copy(arena, text, (size_t)(slash - text));
	if (!n || name[n] != ':')
		return err_set(err, ERR_INVALID, "\"%s\" must be of the form <stream_name>:<tag>",
			       name);
	out->stream = arena_copy(arena, name, n);
	out->tag = name[n + 1] ? arena_strdup(arena, name + n + 1) : "latest";
	return true;
}

static bool has_import_flags(const struct tag_options *options)
{
	return option_is_on(options->scheduled) || option_is_on(options->insecure) ||
	       options->import_mode;
}

static bool check_deletion(const struct tag_options *options, struct err *err)
{
	if (options->is_alias)
		return err_set(err, ERR_INVALID, "--alias and --delete may not be both specified");
	if (options->source)
		return err_set(err, ERR_INVALID, "cannot specify a source kind when deleting");
	if (has_import_flags(options) || options->is_reference || options->reference_policy)
		return err_set(err, ERR_INVALID,
			       "cannot set flags for importing images when deleting a tag");
	return true;
}

static const char *ns_of(const struct tag_request *request)
{
	const char *ns = request->source->ref.ns;

	return *ns ? ns : request->ns;
}

static bool check_alias(const struct tag_request *request, struct err *err)
{
	const struct tag_source *source = request->source;

	if (has_import_flags(request->options))
		return err_set(err, ERR_INVALID,
			       "cannot set a container image tag as an alias and also set import "
			       "flags");
	for (size_t i = 0; i < request->n_targets; i++)
		if (strcmp(source->kind, TAG_KIND) != 0 ||
		    strcmp(ns_of(request), request->targets[i].ns) != 0 ||
		    strcmp(source->ref.name, request->targets[i].stream) != 0)
			return err_set(err, ERR_INVALID,
				       "cannot set alias across different Image Streams");
	return true;
}

bool tag_request_check(const struct tag_request *request, struct err *err)
{
	const struct tag_options *options = request->options;

	if (!request->source)
		return check_deletion(options, err);
	for (size_t i = 0; i < request->n_targets; i++)
		if (!tag_name_check(request->targets[i].tag, err))
			return false;
	if (options->is_alias)
		return check_alias(request, err);
	if (strcmp(request->source->kind, IMAGE_KIND) != 0 && has_import_flags(options))
		return err_set(err, ERR_INVALID,
			       "only container images can have importing flags set");
	return true;
}

static bool pin_tag(struct tag_source *source, const struct stream_status *status,
		    struct arena *arena, struct err *err)
{
	const struct tag_event *event = status ? stream_current(status, source->ref.tag) : NULL;

	if (!event)
		return err_set(err, ERR_ABSENT,
			       "\"%s\" is not currently pointing to an image, cannot use it as the "
			       "source of a tag",
			       source->text);
	if (*event->image) {
		source->kind = STORED_KIND;
		source->ref.id = event->image;
		source->ref.tag = "";
		return true;
	}
	source->kind = IMAGE_KIND;
	if (docker_ref_parse(event->reference, arena, &source->ref, err))
		return true;
	return err_prefix(err,
			  "the image stream tag \"%s\" has an invalid pull spec and cannot be used "
			  "to tag",
			  source->text);
}

bool tag_source_pin(struct tag_source *source, const struct stream_status *status,
		    struct arena *arena, struct err *err)
{
	const struct tag_event *event;

	if (strcmp(source->kind, TAG_KIND) == 0)
		return pin_tag(source, status, arena, err);
	if (strcmp(source->kind, STORED_KIND) != 0)
		return true;
	if (!status)
		return err_set(err, ERR_ABSENT, "no image of image stream \"%s\" is recorded",
			       source->ref.name);
	if (!stream_find_image(status, source->ref.id, &event, err))
		return err_prefix(err, "\"%s\"", source->text);
	source->ref.id = event->image;
	return true;
}

struct tag_ref *tag_request_ref(const struct tag_request *request, const struct tag_target *target,
				struct arena *arena)
{
	const struct tag_options *options = request->options;
	const struct tag_source *source = request->source;
	struct tag_ref *ref = ARENA_NEW(arena, struct tag_ref);
	struct object_ref *from = ARENA_NEW(arena, struct object_ref);

	*ref = (struct tag_ref){ .name = target->tag,
				 .from = from,
				 .is_reference = options->is_reference,
				 .is_insecure = option_is_on(options->insecure),
				 .is_scheduled = option_is_on(options->scheduled),
				 .import_mode = options->import_mode,
				 .reference_policy = POLICY_SOURCE };
	if (options->reference_policy && strcasecmp(options->reference_policy, "local") == 0)
		ref->reference_policy = POLICY_LOCAL;
	from->kind = source->kind;
	if (strcmp(source->kind, IMAGE_KIND) == 0) {
		from->name = docker_ref_format(&source->ref, arena);
		return ref;
	}
	from->name = docker_ref_name_string(&source->ref, arena);
	if (strcmp(ns_of(request), target->ns) != 0)
		from->ns = ns_of(request);
	return ref;
}

char *tag_request_message(const struct tag_request *request, const struct tag_target *target,
			  struct arena *arena)
{
	const char *source = docker_ref_format(&request->source->ref, arena);
	bool is_here = strcmp(request->ns, target->ns) == 0;
	const char *where = is_here ? "" : arena_printf(arena, "%s/", target->ns);

	if (request->options->is_alias)
		return arena_printf(arena, "Tag %s%s set up to track %s.", where, target->text,
				    source);
	if (option_is_on(request->options->scheduled)) /* oc says "import" at home only */
		return arena_printf(arena, "Tag %s%s set to %s%s periodically.", where,
				    target->text, is_here ? "import " : "", source);
	return arena_printf(arena, "Tag %s%s set to %s.", where, target->text, source);
}
