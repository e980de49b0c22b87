/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h — every bound on foreign input in one list, each with its reason. */
#ifndef MODEL_BASE_LIMITS_H
#define MODEL_BASE_LIMITS_H

/* Manifests: a Kubernetes object is at most 1.5 MiB in etcd; files may hold many documents. */
#define LIMIT_FILE_BYTES     (8u << 20)
#define LIMIT_FILE_DOCS      10000u
#define LIMIT_DOC_DEPTH      64u
#define LIMIT_DOC_NODES      200000u
#define LIMIT_DOC_ALIASES    100u   /* anchors used per document                                 */
#define LIMIT_ALIAS_NODES    20000u /* nodes made by expanding aliases, per document              */
#define LIMIT_KEY_BYTES      1024u
#define LIMIT_TAG_PATTERN    4096u /* of a filter of tags                                       */
#define LIMIT_MANIFEST_FILES 200000u
#define LIMIT_DIAGS          1000u /* problems printed in one run; the rest are counted           */

/* Registries: the distribution spec asks for 4 MiB manifests at least. */
#define LIMIT_MANIFEST_BYTES (4u << 20)
#define LIMIT_CONFIG_BYTES   (8u << 20)
#define LIMIT_LABEL_BYTES    (4u << 20)
#define LIMIT_LAYERS         500u /* overlayfs takes 500 lower layers                           */
#define LIMIT_HTTP_BODY      (16u << 20)
#define LIMIT_HTTP_HEADERS   (64u << 10)
#define LIMIT_REDIRECTS      5

/* Archives and layers, unpacked. */
#define LIMIT_UNPACK_BYTES   (64ull << 30)
#define LIMIT_UNPACK_ENTRIES 5000000ull
#define LIMIT_PATH_BYTES     4096u

/* Sources: archives somebody else made. Deflate squeezes zeros 1,032 times, texts hardly 20 times. */
#define LIMIT_BLOB_BYTES        (8ll << 30)   /* one download                                    */
#define LIMIT_BLOB_CACHE_BYTES  (16ll << 30)  /* of downloads kept; the least used go first      */
#define LIMIT_SOURCE_BYTES      (16ull << 30) /* unpacked                                        */
#define LIMIT_SOURCE_ENTRIES    1000000ull
#define LIMIT_SOURCE_RATIO      200ull        /* unpacked to packed, past the first bytes below  */
#define LIMIT_SOURCE_FREE_BYTES (64ull << 20) /* that many bytes may unpack from however few     */
#define LIMIT_TREE_DEPTH        200u          /* folders in folders; each is open on the way down */
#define LIMIT_SUBMODULE_DEPTH   10u           /* as kpack                                        */
#define LIMIT_SUBMODULES        1000u         /* of one source, all levels together              */

/* Buildpacks: TOML files are written by foreign code. */
#define LIMIT_TOML_BYTES     (1u << 20)
#define LIMIT_PLAN_TRIALS    100000u /* of the build plan's cartesian product                       */
#define LIMIT_SBOM_BYTES     (64u << 20) /* one SBOM file of a layer                              */
#define LIMIT_ORDER_DEPTH    32u    /* nesting of composite buildpacks                            */
#define LIMIT_GROUP_ELEMENTS 1000u  /* of one group, composites expanded; bounds recursion too   */
#define LIMIT_DETECT_GROUPS  10000u /* groups tried in one detection                              */
#define LIMIT_DETECT_OUTPUT                                                                        \
	(1u << 20)                  /* kept of what one bin/detect prints                         */
#define LIMIT_ENV_FILE (128u << 10) /* Linux takes no single variable beyond this               */

/* State and logs. */
#define LIMIT_STATE_BLOB     (4u << 20)
#define LIMIT_LOG_BYTES      (1u << 20) /* head and tail are kept                                   */
#define LIMIT_EVENT_BYTES    (1u << 20) /* one line of a worker: a result lists its buildpacks      */
#define LIMIT_EVENT_METADATA (256u << 10) /* manifest and config in a result, together          */
#define LIMIT_REFS           1000000u
#define LIMIT_STREAM_TAGS    5000u  /* of one image stream                                        */
#define LIMIT_TAG_ITEMS      10000u /* of one tag's history                                       */

/* Git: what a foreign repository may make us hold or write. */
#define LIMIT_GIT_PACK_BYTES                                                                       \
	(4ull << 30) /* one pack received                                      */
#define LIMIT_GIT_PACK_MEMORY                                                                      \
	(1u << 30)                    /* one pack made by us, in memory                         */
#define LIMIT_GIT_OBJECTS 20000000u   /* in one pack                                            */
#define LIMIT_GIT_OBJECT  (1u << 30)  /* one object, inflated                                   */
#define LIMIT_GIT_TREE    (64u << 20) /* one tree object: about a million entries               */
#define LIMIT_GIT_DELTAS  5000u       /* length of a delta chain; git writes 50, or 4095 at most */
#define LIMIT_GIT_DEPTH   256u        /* folders in folders                                     */
#define LIMIT_GIT_MESSAGE (16u << 10) /* kept of a server's progress and hook output            */

#endif
