/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_answer.c — one question about a stream's tag or repository. What goes wrong becomes a reason and a sentence that
 * stays the same from run to run, since it is recorded.
 */
#include "reconcile/observe/import_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/oci/docker_ref.h"
#include "reconcile/observe/import_allow.h"

enum { TIMEOUT_MS = 60000, INDEX_DEPTH = 2 };

#define REASON_NOT_FOUND    "NotFound"
#define REASON_UNAUTHORIZED "Unauthorized"
#define REASON_BAD_REQUEST  "BadRequest"
#define REASON_INVALID      "Invalid"
#define REASON_FORBIDDEN    "Forbidden"
#define REASON_NOT_V2       "NotV2Registry"
#define REASON_INTERNAL     "InternalError"

struct asked {
	const struct import_question *question;
	struct docker_ref written, full; /* as it was written; with defaults */
	struct ref ref;
	struct arena *scratch; /* of this question */
	struct arena *arena;   /* of the answers */
	struct fact *out;
};

static bool refuse(struct asked *asked, const char *reason, enum err_kind kind, const char *text,
		   struct err *err)
{
	asked->out->reason = reason;
	return err_set(err, kind, "%s", text);
}

static const char *shown(const struct asked *asked)
{
	return docker_ref_format(&asked->full, asked->scratch);
}

/* ---- platforms ---- */

/* Build attestations lie beside the images of an index and are none. */
static bool is_image_entry(const struct descriptor *entry)
{
	const char *os = entry->platform.os, *arch = entry->platform.arch;

	return !(os && arch && strcmp(os, "unknown") == 0 && strcmp(arch, "unknown") == 0);
}

const struct descriptor *import_choose(const struct image_index *index,
				       const struct platform *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct descriptor *found = index_select(index, &wanted[i]);

		if (found)
			return found;
	}
	for (size_t i = 0; i < index->n_manifests; i++)
		if (is_image_entry(&index->manifests[i]))
			return &index->manifests[i];
	return index->n_manifests ? &index->manifests[0] : NULL;
}

static const struct descriptor *choose(const struct asked *asked, const struct image_index *index)
{
	const struct platform usual = { .os = "linux", .arch = "amd64" };
	const struct platform *tag = &asked->question->query->prefer;
	const struct settings_streams *streams = asked->question->streams;
	struct platform wanted[3] = { { 0 } };
	size_t n = 0;

	for (int is_tag = 1; is_tag >= 0; is_tag--) {
		const char *os = is_tag ? tag->os : NULL, *arch = is_tag ? tag->arch : NULL;

		if (is_tag && !os && !arch)
			continue;
		os = os ? os : streams->os ? streams->os : usual.os;
		arch = arch ? arch : streams->arch ? streams->arch : usual.arch;
		wanted[n++] = (struct platform){ .os = os, .arch = arch };
	}
	wanted[n++] = usual;
	return import_choose(index, wanted, n);
}

/* ---- reading ---- */

/* The image with this digest, as the tag's reference names it: nothing is added to what was written. */
static const char *reference_of(const struct asked *asked, const char *digest)
{
	struct docker_ref ref = asked->written;

	ref.id = digest;
	ref = docker_ref_most_specific(ref);
	return docker_ref_format(&ref, asked->scratch);
}

static struct ref pinned(const struct asked *asked, const char *digest)
{
	return (struct ref){ .registry = asked->ref.registry,
			     .repo = asked->ref.repo,
			     .digest = digest };
}

static bool read_image(struct asked *asked, const struct descriptor *desc, const char *json,
		       struct err *err)
{
	const struct ref ref = pinned(asked, desc->digest);
	struct manifest manifest;
	struct image_config config;
	char *text;

	if (!manifest_parse(json, (size_t)desc->size_bytes, desc->media_type, asked->scratch,
			    &manifest, err) ||
	    !registry_get_blob(asked->question->registry, &ref, &manifest.config, asked->scratch,
			       &text, err))
		return false;
	if (!image_config_parse(text, (size_t)manifest.config.size_bytes, asked->scratch, &config,
				err))
		return err_prefix(err, "it is no container image (config of type %s)",
				  manifest.config.media_type);
	asked->out->record = image_record_make(reference_of(asked, desc->digest), desc->digest,
					       &manifest, &config, asked->arena);
	return true;
}

static bool read_manifest(struct asked *asked, const char *digest, int depth, struct err *err);

static bool read_index(struct asked *asked, const struct descriptor *desc, const char *json,
		       int depth, struct err *err)
{
	const struct descriptor *chosen;
	struct image_index index;

	if (!index_parse(json, (size_t)desc->size_bytes, desc->media_type, asked->scratch, &index,
			 err))
		return false;
	if (asked->question->query->is_whole) {
		asked->out->record = image_record_index(reference_of(asked, desc->digest),
							desc->digest, &index, asked->arena);
		return true;
	}
	chosen = choose(asked, &index);
	if (!chosen)
		return err_set(err, ERR_INVALID, "the index has no images");
	if (depth == INDEX_DEPTH)
		return err_set(err, ERR_INVALID, "indexes within indexes are nested too deeply");
	return read_manifest(asked, chosen->digest, depth + 1, err);
}

static bool read_manifest(struct asked *asked, const char *digest, int depth, struct err *err)
{
	const struct ref ref = pinned(asked, digest);
	struct descriptor desc;
	char *json;

	if (!registry_get_manifest(asked->question->registry, &ref, asked->scratch, &desc, &json,
				   err))
		return false;
	if (media_is_index(desc.media_type))
		return read_index(asked, &desc, json, depth, err);
	asked->out->image_digest = arena_strdup(asked->arena, desc.digest);
	return read_image(asked, &desc, json, err);
}

/* A HEAD is refused without words: they tell a wrong password from a missing one. */
static bool resolve(struct asked *asked, struct descriptor *desc, struct err *err)
{
	struct registry *registry = asked->question->registry;
	const struct registry_refusal *refusal = registry_refusal(registry);
	char *json;

	if (registry_resolve(registry, &asked->ref, asked->scratch, desc, err))
		return desc->digest || err_set(err, ERR_ABSENT, "it is not there");
	return refusal->status == 401 && !refusal->words[0] &&
	       registry_get_manifest(registry, &asked->ref, asked->scratch, desc, &json, err);
}

/* GAP(Docker image manifest v2 schema 1): not read; registries have stopped to take such images in. */
static bool is_schema1(const char *media_type)
{
	return media_type && strstr(media_type, "docker.distribution.manifest.v1+");
}

static bool read_tag(struct asked *asked, struct err *err)
{
	const struct query *query = asked->question->query;
	struct descriptor desc;

	if (!resolve(asked, &desc, err))
		return false;
	asked->out->digest = arena_strdup(asked->arena, desc.digest);
	if (query->known_digest && strcmp(query->known_digest, desc.digest) == 0)
		return true;
	if (is_schema1(desc.media_type))
		return err_set(err, ERR_INVALID,
			       "it has Docker's manifest of schema 1, which is too old to be "
			       "imported: push it again with a present client");
	return read_manifest(asked, desc.digest, 0, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_tags(struct asked *asked, struct err *err)
{
	struct strings found;

	if (!registry_list_tags(asked->question->registry, &asked->ref, asked->scratch, &found,
				err))
		return false;
	if (found.n)
		qsort(found.v, found.n, sizeof(*found.v), by_text);
	for (size_t i = 0; i < found.n; i++)
		if (i == 0 || strcmp(found.v[i], found.v[i - 1]) != 0)
			vec_push(asked->arena, &asked->out->tags,
				 arena_strdup(asked->arena, found.v[i]));
	return true;
}

/* ---- failures ---- */

static bool is_about_password(const char *words)
{
	return strcasestr(words, "username or password") != NULL;
}

static bool explain_401(struct asked *asked, const struct registry_refusal *refusal,
			struct err *err)
{
	const char *name = shown(asked), *text;

	if (is_about_password(refusal->words))
		text = arena_printf(asked->scratch,
				    "incorrect username or password for image \"%s\"", name);
	else
		text = arena_printf(asked->scratch,
				    "you may not have access to the container image \"%s\"%s", name,
				    refusal->has_credentials || refusal->status == 403
					    ? ""
					    : " and did not have credentials to the repository");
	return refuse(asked, REASON_UNAUTHORIZED, ERR_DENIED, text, err);
}

static bool explain_absent(struct asked *asked, struct err *err)
{
	const char *text;

	if (registry_probe(asked->question->registry, &asked->ref) == PROTOCOL_OTHER) {
		text = arena_printf(asked->scratch, "endpoint \"%s\" does not support v2 API",
				    asked->full.registry);
		return refuse(asked, REASON_NOT_V2, ERR_INVALID, text, err);
	}
	text = arena_printf(asked->scratch, "dockerimage.image.openshift.io \"%s\" not found",
			    shown(asked));
	return refuse(asked, REASON_NOT_FOUND, ERR_ABSENT, text, err);
}

/* What libcurl or the server said, without the URL before it. */
static const char *cause_of(const char *text)
{
	const char *cause = text, *next;

	while ((next = strstr(cause, "': ")))
		cause = next + 3;
	return cause;
}

static bool explain_quiet(struct asked *asked, const char *why, struct err *err)
{
	return refuse(asked, REASON_INTERNAL, ERR_TRANSIENT,
		      arena_printf(asked->scratch, "Internal error occurred: registry '%s': %s",
				   asked->full.registry, why),
		      err);
}

static bool explain_silence(struct asked *asked, const struct err *problem, struct err *err)
{
	const char *why = arena_strdup(asked->scratch, cause_of(problem->text));

	if (!asked->question->query->is_insecure &&
	    registry_probe(asked->question->registry, &asked->ref) == PROTOCOL_PLAIN)
		return refuse(asked, REASON_BAD_REQUEST, ERR_INVALID,
			      arena_printf(asked->scratch,
					   "the repository %s is HTTP only and requires the "
					   "insecure flag to import",
					   shown(asked)),
			      err);
	quiet_note(asked->question->quiet, asked->ref.registry, why);
	return explain_quiet(asked, why, err);
}

/* From what went wrong to what the condition says. */
static bool explain(struct asked *asked, struct err *err)
{
	const struct registry_refusal refusal = *registry_refusal(asked->question->registry);
	const struct err problem = *err;
	const char *name = shown(asked);

	if (problem.kind == ERR_TRANSIENT && (refusal.status == 0 || refusal.status == 429))
		return explain_silence(asked, &problem, err);
	quiet_note(asked->question->quiet, asked->ref.registry, NULL);
	if (refusal.status == 401 || refusal.status == 403)
		return explain_401(asked, &refusal, err);
	if (problem.kind == ERR_ABSENT)
		return explain_absent(asked, err);
	if (problem.kind == ERR_INVALID)
		return refuse(asked, REASON_INVALID, ERR_INVALID,
			      arena_printf(asked->scratch, "dockerimage \"%s\" is invalid: %s",
					   name, problem.text),
			      err);
	return refuse(asked, REASON_INTERNAL, problem.kind,
		      arena_printf(asked->scratch, "Internal error occurred: %s", problem.text),
		      err);
}

/* ---- the question ---- */

static bool parse(struct asked *asked, struct err *err)
{
	const char *name = asked->question->query->image;
	struct docker_ref full;

	if (!docker_ref_parse(name, asked->scratch, &asked->written, err))
		return refuse(asked, REASON_INVALID, ERR_INVALID,
			      arena_printf(asked->scratch,
					   "from.name: Invalid value: \"%s\": invalid name: %s",
					   name, err->text),
			      err);
	asked->full = full = docker_ref_defaults(asked->written);
	if (ref_parse(docker_ref_format(&full, asked->scratch), asked->scratch, &asked->ref, err))
		return true;
	return refuse(asked, REASON_INVALID, ERR_INVALID, arena_strdup(asked->scratch, err->text),
		      err);
}

static bool is_allowed(struct asked *asked, struct err *err)
{
	const struct import_question *question = asked->question;

	if (!import_is_allowed(question->streams, asked->full.registry,
			       question->query->is_insecure, asked->scratch, err)) {
		asked->out->reason = err->kind == ERR_DENIED ? REASON_FORBIDDEN : REASON_INVALID;
		return false;
	}
	if (!registry_is_blocked(question->registry, &asked->ref))
		return true;
	return refuse(asked, REASON_FORBIDDEN, ERR_DENIED,
		      arena_printf(asked->scratch, "registry %s blocked", asked->full.registry),
		      err);
}

typedef bool read_fn(struct asked *asked, struct err *err);

/* With a wrong password it may still be public; if not, what was said first is what matters. */
static bool ask(struct asked *asked, read_fn *read, struct err *err)
{
	const struct import_question *question = asked->question;
	struct registry_manner manner = {
		.insecure = question->query->is_insecure ? asked->ref.registry : NULL,
		.timeout_ms = question->timeout_ms ? question->timeout_ms : TIMEOUT_MS,
	};
	struct err again = { 0 };
	const char *why;

	if (quiet_is(question->quiet, asked->ref.registry, asked->scratch, &why))
		return explain_quiet(asked, why, err);
	registry_set_manner(question->registry, &manner);
	if (read(asked, err)) {
		quiet_note(question->quiet, asked->ref.registry, NULL);
		return true;
	}
	if (registry_refusal(question->registry)->status != 401 ||
	    !is_about_password(registry_refusal(question->registry)->words))
		return explain(asked, err);
	explain(asked, err);
	manner.is_anonymous = true;
	registry_set_manner(question->registry, &manner);
	if (read(asked, &again)) {
		asked->out->reason = NULL;
		*err = (struct err){ 0 };
		return true;
	}
	if (registry_refusal(question->registry)->status == 401)
		return false;
	*err = again;
	return explain(asked, err);
}

static bool answer(const struct import_question *question, read_fn *read, struct arena *arena,
		   struct fact *out, struct err *err)
{
	const struct registry_manner usual = { 0 };
	struct asked asked = {
		.question = question, .scratch = arena_new(), .arena = arena, .out = out
	};
	bool is_done = parse(&asked, err) && is_allowed(&asked, err) && ask(&asked, read, err);

	if (!is_done) {
		out->digest = out->image_digest = NULL;
		out->record = NULL;
	}
	registry_set_manner(question->registry, &usual);
	arena_free(asked.scratch);
	return is_done;
}

bool answer_import(const struct import_question *question, struct arena *arena, struct fact *out,
		   struct err *err)
{
	return answer(question, read_tag, arena, out, err);
}

bool answer_tags(const struct import_question *question, struct arena *arena, struct fact *out,
		 struct err *err)
{
	return answer(question, read_tags, arena, out, err);
}
