/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h — Settings (reconcile.dev/v1), by custom the file reconcile.yaml beside the
 * manifests. What can run a program or send data somewhere (`executor`, credential helpers) is
 * marked trusted-only: the program takes it only from --settings, the user's configuration or the
 * base revision (design §7).
 */
#ifndef MODEL_KIND_SETTINGS_H
#define MODEL_KIND_SETTINGS_H

#include "model/kind/kind.h"

struct settings_registry {
	const char *prefix, *layout, *location, *mirror, *ca_file, *cert_file, *key_file;
	bool is_insecure, is_blocked;
	struct pos pos;
};
struct settings_git {
	const char *host; /* "host[:port]" */
	const char *ca_file;
	const char *known_hosts;
	bool is_insecure;
};
/* Where the value of a Secret that stands outside of the manifests may go as a login. Trusted-only */
struct settings_secret {
	const char *from;       /* the variable, or the file as an annotation names it */
	struct strings servers; /* "[scheme://]host[:port]"; "*": wherever the manifests say */
	struct pos pos;
};
/* Of image streams. */
struct settings_allowed {   /* allowedRegistriesForImport */
	const char *domain; /* host[:port], wildcards allowed */
	bool is_insecure;
};
struct settings_streams {
	/*
	 * host[:port][/path] of the integrated registry: a stream's repository is <registry>/<namespace>/<name>. NULL: there is
	 * none, so nothing can be pushed to a stream or copied for it.
	 */
	const char *registry;
	const char *public_registry;
	const char *interval; /* of scheduled imports, as written: "15m" */
	int64_t interval_s;
	int64_t history_limit;   /* items kept of every tag; 0: all */
	int64_t max_tags;        /* taken in by the import of a repository; -1: all; 50 */
	const char *import_mode; /* "Legacy" or "PreserveOriginal" */
	const char *os, *arch;   /* preferred of an index: "linux", "amd64" */
	bool has_allowed;        /* allowedRegistries was written: an empty list allows nothing */
	struct list allowed;     /* struct settings_allowed */
};

/* Of edits of manifests. */
struct settings_updates {
	const char *write;  /* "none", "files", "commit" */
	const char *branch; /* NULL: the one that is checked out */
	bool is_pushed;
	const char *message;                    /* NULL: ours */
	const char *author_name, *author_email; /* NULL: those of the state */
	const char *sign_method, *sign_key;     /* "ssh", "gpg"; NULL: not signed. Trusted-only */
};

/* Of build configs. */
struct settings_builds {
	bool allow_custom; /* the Custom strategy may run. Trusted-only */
	const char *
		docker_socket; /* given to Custom builders that ask for it; NULL: to none. Trusted-only */
	const char *engine;    /* of Dockerfiles: "auto", "buildah", "docker". Trusted-only */
	const char *isolation; /* of buildah: "auto", "oci", "chroot". Trusted-only */
};
/* The server of pipelines: all of it trusted-only. */
struct settings_jenkins {
	const char *url; /* NULL: there is none */
	const char *
		credentials; /* secret as "namespace/name", of type basic-auth: user and API token */
	const char *ca_file;
	bool is_insecure;
};

struct settings {
	/* state */
	const char *state_repo, *state_branch; /* NULL; "reconcile/state" */
	const char *author_name, *author_email;
	const char *logs;        /* "branch" (default), "none" or a folder */
	const char *lease;       /* of a claim, as written: "1h" */
	int64_t lease_s;         /* the same in seconds */
	int64_t push_retries;    /* 10 */
	struct list registries;  /* struct settings_registry */
	struct list git;         /* struct settings_git */
	struct list secrets;     /* struct settings_secret. Trusted-only */
	int64_t jobs;            /* -j; 0: cores */
	int64_t retries;         /* of failures that were not the build's own, per input; 3 */
	const char *runtime;     /* OCI runtime program, "crun". Trusted-only */
	const char *network;     /* of builds: "host" (default) or "none" */
	const char *cache_dir;   /* trusted-only */
	const char *compression; /* "fast" (default) or "small" */
	struct strings executor; /* argv of a worker elsewhere. Trusted-only */
	bool allow_helpers;      /* docker-credential-*. Trusted-only */
	struct settings_streams streams;
	bool with_prune; /* records of objects whose manifests are gone go of their own accord; true */
	struct settings_updates updates;
	struct settings_builds builds;
	struct settings_jenkins jenkins;
	const char *default_builder;    /* ClusterBuilder for `image create`; "default" */
	const struct source_file *file; /* where it was read; NULL: defaults */
};
extern const struct table settings_table, settings_streams_table;
extern const struct table settings_registry_table, settings_git_table; /* also of build requests */

extern const struct table settings_updates_table, settings_builds_table, settings_jenkins_table;
struct checker;
void settings_updates_check(const struct checker *c, const struct settings_updates *updates);
void settings_jenkins_check(const struct checker *c, const struct settings_jenkins *jenkins);
/* git-check-ref-format, as far as a branch that we create needs it. */
bool branch_is_valid(const char *name);

/* The defaults alone. */
const struct settings *settings_default(struct arena *arena);
/*
 * A copy whose trusted-only fields are the defaults, for settings out of a place that must not
 * be trusted. *dropped names the fields that were set there ("runtime, executor"), NULL: none.
 */
const struct settings *settings_distrust(const struct settings *from, struct arena *arena,
					 const char **dropped);
/* A copy of `from` whose trusted-only fields are those of `source`. */
const struct settings *settings_trust(const struct settings *from, const struct settings *source,
				      struct arena *arena);
/* "90s", "15m", "1h30m", "2d", or plain seconds; false when it is none. */
bool duration_parse(const char *text, int64_t *seconds);

#endif
