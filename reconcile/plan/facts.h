/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h — what must be asked of the world (queries) and what it answered (facts).
 * A query is named by its key; equal questions have equal keys and are asked once. A failed answer is a fact too.
 * Pure: reconcile/observe asks, plan only reads.
 */
#ifndef RECONCILE_PLAN_FACTS_H
#define RECONCILE_PLAN_FACTS_H

#include "model/kind/image_record.h"
#include "model/kind/settings.h"
#include "model/kind/status.h"
#include "model/oci/image.h"
#include "model/oci/ref.h"

enum query_kind {
	QUERY_GIT, /* url + revision → commit; with sub_path also its tree, unless commit is known_commit */
	QUERY_IMAGE, /* reference → digest; manifest and config too, unless the digest is known_digest      */
	QUERY_LOCAL, /* folder or archive → content digest                                                  */
	QUERY_BLOB, /* url → content digest and validator                                                  */
	QUERY_IMPORT, /* reference of an image stream's tag → digest, and the image's record               */
	QUERY_TAGS, /* repository of an image stream → its tags                                            */
	QUERY_KINDS
};

/* Sub paths are asked for with their digests unless the answer is what known_… says: they are recorded then. */
struct query {
	enum query_kind kind;
	const char *key;
	const char *url, *revision; /* git; revision NULL: master, then main. blob: url */
	/* All that somebody wants of this source; "" excluded. */
	struct strings sub_paths;
	const char *known_commit; /* git: recorded; its trees are recorded too */
	const char *image; /* image: as declared                                                */
	const char *known_digest; /* image: recorded; NULL: metadata is wanted in any case */
	bool wants_metadata; /* image: false: the digest is enough                                */
	const char *path;    /* local: relative to `manifest_dir`                                 */
	const char *manifest_dir;                    /* local: folder of the manifest */
	const char *auth;                            /* blob: whether credentials are used */
	int64_t strip_components;                    /* blob: what its sub paths are seen through */
	const char *known_content, *known_validator; /* blob: recorded together */
	bool is_doubted;         /* blob: to be read anew, whatever its validator says */
	const char *known_parts; /* not git: content whose parts are recorded */
	bool is_insecure;        /* import, tags: plain HTTP and unknown certificates will do     */
	bool is_whole;           /* import: an index is kept whole (PreserveOriginal)             */
	/* import: of an index, the image for this one is taken; NULL parts: the settings', then linux/amd64 */
	struct platform prefer;
	struct strings tags; /* import: "ns/stream:tag" of those that take the answer */
	const char *ns, *service_account; /* whose credentials may be used; NULL: none */
	const struct list *pull_secrets;  /* image: further secrets, struct named; NULL: none */
	/* git: a secret whose login is for this source's server, whatever its type and annotations; NULL: none */
	const char *source_secret;
	/* git: whose proxies lead there; NULL: those of the environment */
	const struct build_git *proxies;
	const struct object *asker; /* the first one, for messages */
};
struct queries {
	VEC(struct query *) list;
	struct map by_key;
};

enum git_ref_type { GIT_UNKNOWN, GIT_BRANCH, GIT_TAG, GIT_COMMIT };

struct fact {
	const struct query *query;
	bool is_known; /* false: err says why not; kind ERR_NONE: it was not asked (offline) */
	struct err err;
	/* git */
	const char *commit, *ref_name; /* "refs/heads/main" */
	enum git_ref_type ref_type;
	/* Sub path → tree id (git), or digest; a path that is not there is absent. */
	struct pairs trees;
	/* image */
	const char *digest; /* what the reference points at (an index's digest, if it is one) */
	const char *image_digest; /* of the image manifest for our platform */
	/* NULL: as recorded (digest equals known_digest), or not wanted */
	const struct manifest *manifest;
	const struct image_config *config;
	/* import: digest is what the reference points at, image_digest the image that was chosen of it */
	const struct image_record *record; /* NULL: digest equals known_digest */
	const char *reason; /* of a failure, as OpenShift names it: "NotFound", "Unauthorized", … */
	/* tags */
	struct strings tags;
	/* local, blob */
	const char *content;
	const char *validator; /* blob: NULL when there is none */
};
struct facts {
	struct map by_key; /* query key → struct fact */
	bool is_offline;   /* nothing was asked: recorded values stand in, plan says so */
};
const struct fact *fact_find(const struct facts *facts, const char *key);

/* ns and account are those of the query: both NULL when the account is not declared (account_of in rules.h). */
char *query_key_git(const char *url, const char *revision, const char *ns, const char *account,
		    struct arena *arena);
/*
 * Where a git URL leads: a relative path ("../app.git") is below the folder of the object's manifest, as local.path is; any
 * other form is itself. Records keep what the manifest says.
 */
const char *git_location(const char *url, const struct object *object, struct arena *arena);
char *query_key_image(const char *image, const char *ns, const char *account, struct arena *arena);
/* Equal references that are imported in another way are other questions. */
char *query_key_import(const struct query *query, struct arena *arena);
char *query_key_tags(const struct query *query, struct arena *arena);
char *query_key_local(const char *manifest_dir, const char *path, struct arena *arena);
/* Equal downloads, seen through equal stripComponents. */
char *query_key_blob(const struct blob_source *blob, const char *ns, const char *account,
		     struct arena *arena);

struct plan_options; /* plan.h */
/*
 * Everything this model wants to know, given what is recorded. In order of key. Of the options: the time, when scheduled tags
 * were checked last, what is asked for by hand.
 */
void queries_make(const struct model *model, const struct state *state,
		  const struct plan_options *options, struct arena *arena, struct queries *out);
/*
 * What the first answers make it necessary to ask besides: the run images that ready-made builders name in their labels, and
 * the tags that the import of a repository takes in. Usually nothing. Their facts go into the same map; without them such a
 * run image stays a tag and is not followed.
 */
void queries_follow(const struct model *model, const struct state *state, const struct facts *facts,
		    struct arena *arena, struct queries *out);

#endif
