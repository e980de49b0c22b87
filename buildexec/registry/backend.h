/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h — what a kind of registry can do, for registry.c, which knows the rules and verifies. Private to the folder.
 * Every function gets a place of its own kind. `identifier` is a tag or a digest.
 */
#ifndef BUILDEXEC_REGISTRY_BACKEND_H
#define BUILDEXEC_REGISTRY_BACKEND_H

#include "buildexec/registry/blob.h"
#include "buildexec/registry/place.h"

struct endpoint;

struct registry {
	struct arena *arena;
	const struct registry_rules *rules; /* borrowed */
	const struct keychain *keychain;    /* borrowed; NULL: none */
	struct registry_shared *shared;     /* borrowed; NULL: none */
	struct registry_manner manner;
	struct registry_refusal refusal;
	VEC(struct endpoint *) endpoints; /* remote.c */
};

struct payload {
	const char *media_type, *digest;
	const void *bytes;
	size_t n;
};

struct backend {
	/* Absent: true with out->digest NULL. */
	bool (*resolve)(struct registry *registry, const struct place *place,
			const char *identifier, struct arena *arena, struct descriptor *out,
			struct err *err);
	/* Absent: true with out->bytes NULL. The bytes are not verified; media_type NULL when not known. */
	bool (*get_manifest)(struct registry *registry, const struct place *place,
			     const char *identifier, struct arena *arena, struct payload *out,
			     struct err *err);
	/* Fills the sink and finishes it. */
	bool (*read_blob)(struct registry *registry, const struct place *place,
			  struct blob_sink *sink, struct err *err);
	bool (*has_blob)(struct registry *registry, const struct place *place, const char *digest,
			 bool *out, struct err *err);
	/* Of two places of this kind; *done false: it could not, and nothing happened. */
	bool (*mount_blob)(struct registry *registry, const struct place *from,
			   const struct place *to, const struct descriptor *desc, bool *done,
			   struct err *err);
	bool (*put_blob)(struct registry *registry, const struct place *place,
			 const struct descriptor *desc, const struct blob_source *source,
			 struct err *err);
	/* The blob of `from` fetched to where it stays, verified on its way; NULL where bytes are sent. */
	bool (*receive_blob)(struct registry *registry, const struct place *place,
			     const struct ref *from, const struct descriptor *desc,
			     struct err *err);
	/* `tag` NULL: by digest alone. */
	bool (*put_manifest)(struct registry *registry, const struct place *place, const char *tag,
			     const struct payload *payload, struct err *err);
	bool (*list_tags)(struct registry *registry, const struct place *place, struct arena *arena,
			  struct strings *out, struct err *err);
	bool (*check_write)(struct registry *registry, const struct place *place, struct err *err);
};

/* For copies. *done false: `to` is of a kind that bytes are sent to. */
MUST_CHECK bool registry_receive_blob(struct registry *registry, const struct ref *from,
				      const struct ref *to, const struct descriptor *desc,
				      bool *done, struct err *err);

extern const struct backend layout_backend;
extern const struct backend remote_backend;
void remote_close(struct registry *registry);
enum registry_protocol remote_probe(struct registry *registry, const struct place *place);

/*
 * shared.c: verified bytes by the name of their repository and their digest; a copy, and what it is in `out`. NULL where nothing is
 * kept. Not for calls in a manner of their own.
 */
char *shared_recall(const struct registry *registry, const struct ref *ref, const char *digest,
		    struct arena *arena, struct payload *out);
void shared_remember(const struct registry *registry, const struct ref *ref,
		     const struct payload *payload);

/* The type that a manifest's own bytes show: its mediaType, else by its keys; NULL when it is no manifest. */
const char *manifest_media_type(const char *bytes, size_t n, struct arena *arena);

#endif
