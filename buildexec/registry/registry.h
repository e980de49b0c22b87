/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h — where images live, behind one interface: the distribution API over HTTP, or OCI image layouts in folders.
 * Which of the two, mirrors, insecure hosts and CA files come from rules by prefix; credentials from a keychain.
 * Everything received is verified: size and sha256 of blobs, digest of manifests asked by digest.
 * Spec: opencontainers/distribution-spec 1.1; image-spec image-layout.md. One handle per thread; rules and keychain are shared, read-only.
 */
#ifndef BUILDEXEC_REGISTRY_REGISTRY_H
#define BUILDEXEC_REGISTRY_REGISTRY_H

#include "model/base/vec.h"
#include "model/oci/image.h"
#include "model/oci/ref.h"

struct registry_rule {
	/* "host[:port][/path…]", "*.host" for any subdomain; the longest match wins. */
	const char *prefix;
	/* A folder: <layout>/<registry>/<repo>/ is an OCI layout, with tags as ref.name annotations. */
	const char *layout;
	const char *location;   /* read and write there instead */
	struct strings mirrors; /* read-only places tried first, in order */
	const char *ca_file, *cert_file, *key_file;
	/* Further hosts that may be given this registry's credentials for a token. */
	struct strings auth_hosts;
	bool is_insecure; /* plain HTTP allowed and certificates not checked */
	bool is_blocked;
};
struct registry_rules {
	VEC(struct registry_rule) list;
};

/* Credentials: first match by the most specific key (host/ns/repo … host). Sources are loaded by keychain.h. */
struct keychain;

struct registry;
MUST_CHECK bool registry_open(const struct registry_rules *rules, const struct keychain *keychain,
			      struct registry **out, struct err *err);
void registry_close(struct registry **registry);

/* What handles of several threads find out once for all; outlives them. */
struct registry_shared;
struct registry_shared *registry_shared_new(void);
void registry_shared_free(struct registry_shared **shared);
void registry_share(struct registry *registry, struct registry_shared *shared);
/*
 * From now on manifests and configs that were read by digest, or written, are kept (8 MiB in all) and not asked for again. Only
 * for handles that all act for the same user: what one may read, all are given.
 */
void registry_shared_remember(struct registry_shared *shared);

/* How the calls that follow are made; zeroed: as the rules and the keychain say. Texts are borrowed. */
struct registry_manner {
	/* The registry of this name (ref.registry) may be without TLS or with an unknown certificate; its mirrors not. NULL. */
	const char *insecure;
	bool is_anonymous;  /* without credentials */
	int64_t timeout_ms; /* of one small request with its retries; 0: 300 s */
};
void registry_set_manner(struct registry *registry, const struct registry_manner *manner);

/* Why the last call that reads failed, for those who tell failures apart; lent until the next call. */
struct registry_refusal {
	int status; /* of HTTP; 0: there was no answer, or it was no refusal */
	bool has_credentials;
	char words[512]; /* the registry's own, made harmless; "" for none */
};
const struct registry_refusal *registry_refusal(const struct registry *registry);

/* By the settings. */
bool registry_is_blocked(const struct registry *registry, const struct ref *ref);

/* What answers where a reference leads. Asked when something failed; without credentials. */
enum registry_protocol {
	PROTOCOL_UNKNOWN, /* no answer, or one that says nothing; folders */
	PROTOCOL_V2,
	PROTOCOL_PLAIN, /* the distribution API, but without TLS, which it may not be without */
	PROTOCOL_OTHER, /* a server that has no distribution API                              */
};
enum registry_protocol registry_probe(struct registry *registry, const struct ref *ref);

/* Tag or digest → descriptor by HEAD (GET where a server gives no digest). Absent: true with out->digest NULL. */
MUST_CHECK bool registry_resolve(struct registry *registry, const struct ref *ref,
				 struct arena *arena, struct descriptor *out, struct err *err);
/* Manifest or index bytes, verified. ERR_ABSENT when it is not there. */
MUST_CHECK bool registry_get_manifest(struct registry *registry, const struct ref *ref,
				      struct arena *arena, struct descriptor *desc, char **bytes,
				      struct err *err);
/* A small blob (config) whole, verified, at most LIMIT_CONFIG_BYTES. */
MUST_CHECK bool registry_get_blob(struct registry *registry, const struct ref *ref,
				  const struct descriptor *desc, struct arena *arena, char **bytes,
				  struct err *err);
/* A blob into a file at `path` (temp beside it, verified, renamed); resumed by Range when cut off. */
MUST_CHECK bool registry_fetch_blob(struct registry *registry, const struct ref *ref,
				    const struct descriptor *desc, const char *path,
				    struct err *err);
/* Is this manifest in the place itself, whatever its mirrors have? */
MUST_CHECK bool registry_has_manifest(struct registry *registry, const struct ref *ref, bool *out,
				      struct err *err);
MUST_CHECK bool registry_has_blob(struct registry *registry, const struct ref *ref,
				  const char *digest, bool *out, struct err *err);
/* Makes the blob of `from` available in `to` without moving bytes where the registry can (same host, or layout: link). *done says. */
MUST_CHECK bool registry_mount_blob(struct registry *registry, const struct ref *from,
				    const struct ref *to, const struct descriptor *desc, bool *done,
				    struct err *err);
/* From memory or (bytes NULL) from the file at `path`. Nothing but a config is sent when it is there. */
MUST_CHECK bool registry_put_blob(struct registry *registry, const struct ref *to,
				  const struct descriptor *desc, const void *bytes,
				  const char *path, struct err *err);
/* Under to->tag when has_tag, else by digest. */
MUST_CHECK bool registry_put_manifest(struct registry *registry, const struct ref *to,
				      const char *media_type, const void *bytes, size_t n,
				      struct err *err);
/* Copies a manifest (index: all entries) with its blobs, mounting where possible; same bytes, same digest. */
MUST_CHECK bool registry_copy(struct registry *registry, const struct ref *from,
			      const struct ref *to, struct err *err);
/* Pages followed, at most LIMIT_REFS; unsorted. Mirrors first, as for everything that is read. */
MUST_CHECK bool registry_list_tags(struct registry *registry, const struct ref *repo,
				   struct arena *arena, struct strings *out, struct err *err);
/* May we push there? Starts and cancels an upload (HTTP) or checks the folder. ERR_DENIED when not. */
MUST_CHECK bool registry_check_write(struct registry *registry, const struct ref *to,
				     struct err *err);

/* Manifest and config of the image for one platform, following an index. manifest_ref.digest is of the image manifest. */
struct remote_image {
	struct ref ref;         /* with digest of the image manifest                      */
	const char *top_digest; /* what the tag points at: the index's digest, if any     */
	struct descriptor desc;
	struct manifest manifest;
	struct image_config config;
};
MUST_CHECK bool registry_read_image(struct registry *registry, const struct ref *ref,
				    const struct platform *want, struct arena *arena,
				    struct remote_image *out, struct err *err);

#endif
