/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h — the programs that can build a Dockerfile, behind one interface. An engine gets its images from us and gives the
 * built one to us: it sees no registry and no credentials.
 */
#ifndef BUILDEXEC_DOCKER_ENGINE_H
#define BUILDEXEC_DOCKER_ENGINE_H

#include "buildexec/task/task.h"

/* An image from outside, as a registry gave it. */
struct docker_base {
	const char *name;     /* as the Dockerfile names it, variables replaced */
	const char *platform; /* NULL: this machine's */
	struct remote_image image;
	const char *config; /* as engines get it */
	size_t config_len;
	const char *id;  /* of the image in engines: hex digits of the digest of `config` */
	bool needs_name; /* the Dockerfile will ask for it by name, not by id */
};
struct docker_bases {
	struct docker_base *v;
	size_t n, cap;
};

struct docker_job {
	struct task *task;
	const struct docker_strategy *strategy;
	const char *context;    /* folder */
	const char *dockerfile; /* path of the one to build, outside of the context */
	const char *
		ignore; /* path of its own list of ignored files; NULL: .dockerignore of the context */
	struct docker_bases bases;
	struct pairs build_args; /* values are not to be seen by other users */
	struct pairs env;        /* for the engine itself: proxies */
	int64_t timestamp_s;     /* SOURCE_DATE_EPOCH; -1: none */
	bool is_joined;          /* what is built becomes one layer */
	struct sandbox_limits limits;
	const char *engine_version; /* "buildah 1.28.2" */
	void *state;                /* the engine's own, from open to close */
	/* Set by open: what it needs for here-documents, which it does not know; NULL: it knows them. */
	const char *here_needs;
	/* Filled by build: the last error of the engine, and the instruction it was at; NULL: it names none. */
	const char *error, *instruction;
};

/* What was built: its config, and files of the layers, bottom first. */
struct docker_layer {
	const char *path;   /* NULL: a layer of a base, which was left out */
	const char *digest; /* of the file, which is gzip; NULL: it is a plain archive */
};
struct docker_output {
	const char *config;
	size_t config_len;
	struct docker_layer *layers;
	size_t n_layers;
};

struct engine {
	const char *name;     /* as settings say it */
	const char *packages; /* of Debian, for the error */
	/* Can it be used here? ERR_ABSENT with the reason when not. */
	bool (*open)(struct docker_job *job, struct err *err);
	void (*close)(struct docker_job *job);
	/* What cannot be done is ERR_INVALID before anything is spent. */
	bool (*check)(struct docker_job *job, struct err *err);
	/* Makes all of job->bases available by id, without network. */
	bool (*place)(struct docker_job *job, struct err *err);
	/* False with task->exit_code when the build itself failed. */
	bool (*build)(struct docker_job *job, const char **id, struct err *err);
	/* Below the folder `dir`, which is made. */
	bool (*export)(struct docker_job *job, const char *id, const char *dir,
		       struct docker_output *out, struct err *err);
};
extern const struct engine engine_buildah, engine_daemon;

#endif
