/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bc_request.h — what a worker is told of a build of a build config, besides what all builds have (build_request.h): the spec
 * with every reference resolved, the files of secrets and config maps, what came along with the request, and what the
 * settings allow.
 */
#ifndef MODEL_KIND_BC_REQUEST_H
#define MODEL_KIND_BC_REQUEST_H

#include "model/kind/build_config.h"

/* What the files of a secret or config map are for. */
#define FILES_INPUT  "input"  /* source.secrets, source.configMaps: below the context folder */
#define FILES_VOLUME "volume" /* strategy volumes: mounted while the build runs, in no layer */
#define FILES_CUSTOM "custom" /* customStrategy.secrets: mounted */
#define FILES_PUSH   "push"   /* docker configs of the output and the input, for a Custom builder */
#define FILES_PULL   "pull"
#define FILES_SOURCE "source" /* the source secret, for a Custom builder */

struct request_files {
	const char *purpose; /* FILES_… */
	const char *name;    /* of the object */
	const char *
		destination; /* destinationDir, mountPath or destinationPath as written; NULL: none */
	struct pairs files; /* file name, or path for volumes → base64 */
	bool is_secret;
	int64_t mode; /* 0: 0644, 0400 of a secret */
};

/* Sent along with the request for a build (start-build --from-…): a Binary source. */
struct request_binary {
	const char *path;    /* absolute: a folder, an archive or a file */
	const char *content; /* digest, as tree_hash or of the file's bytes */
	const char *as_file; /* the file's name; NULL: a folder, or an archive that is unpacked */
};

struct request_jenkins {
	const char *url; /* of the server, without '/' at its end */
	const char *user, *token;
	const char *ca_file;
	bool is_insecure;
};

struct bc_request {
	const char *config; /* name of the build config */
	const char *build;  /* "cart-12" */
	const char *ns;
	int64_t number;
	/*
	 * As it is recorded: `from` of strategy and source images are kind DockerImage and pinned; output.to is a DockerImage with
	 * tag; env and build arguments have values, valueFrom is resolved. A git source's commit is in the request's `source`
	 * (git.revision) and in `revision`.
	 */
	struct build_common spec;
	struct list files; /* struct request_files */
	struct request_binary *binary;
	/* Custom: the Build as JSON, for BUILD; where the docker socket lies, NULL: it is not given */
	const char *build_json, *docker_socket;
	struct request_jenkins *jenkins;
	struct strings
		hidden; /* values out of secrets that are in the spec: not to be seen in the log */
};
extern const struct table bc_request_table;

#endif
