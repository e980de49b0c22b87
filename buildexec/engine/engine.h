/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h — the programs that can build a Dockerfile, behind one interface. An engine gets its images from us and gives the
 * built one to us: it sees no registry and no credentials.
 */
#ifndef BUILDEXEC_ENGINE_ENGINE_H
#define BUILDEXEC_ENGINE_ENGINE_H

#include "buildexec/task/task.h"

/* An image from outside, as a registry gave it. */
struct engine_base {
	const char *name;     /* as the Dockerfile names it, variables replaced */
	const char *platform; /* NULL: this machine's */
	struct remote_image image;
	const char *config; /* as engines get it */
	size_t config_len;
	const char *id;  /* of the image in engines: hex digits of the digest of `config` */
	bool needs_name; /* the Dockerfile will ask for it by name, not by id */
};
struct engine_bases {
	struct engine_base *v;
	size_t n, cap;
};

/* A folder that is mounted while a Dockerfile is built, read-only, and is in no layer. */
struct engine_volume {
	const char *dir; /* on this machine */
	const char *to;  /* absolute, in the build */
};

struct engine_job {
	struct task *task;
	const char *store_name; /* builds of one name take layers from each other's cache */
	const char *context;    /* folder */
	const char *dockerfile; /* path of the one to build, outside of the context */
	const char *
		ignore; /* path of its own list of ignored files; NULL: .dockerignore of the context */
	struct engine_bases bases;
	struct pairs build_args; /* values are not to be seen by other users … */
	bool has_foreign_args;   /* … but for these: an image brought them, names and values */
	struct pairs env;        /* for the engine itself: proxies */
	int64_t timestamp_s;     /* SOURCE_DATE_EPOCH; -1: none */
	bool is_joined;          /* what is built becomes one layer */
	bool is_uncached;        /* no layer is taken from an earlier build */
	struct list volumes;     /* struct engine_volume */
	struct sandbox_limits limits;
	const char *engine_version; /* "buildah 1.28.2" */
	void *state;                /* the engine's own, from open to close */
	/* Set by open: what it needs for here-documents, which it does not know; NULL: it knows them. */
	const char *here_needs;
	/* Filled by build: the last error of the engine, and the instruction it was at; NULL: it names none. */
	const char *error, *instruction;
};

/* What was built: its config, and files of the layers, bottom first. */
struct engine_layer {
	const char *path;   /* NULL: a layer of a base, which was left out */
	const char *digest; /* of the file, which is gzip; NULL: it is a plain archive */
};
struct engine_output {
	const char *config;
	size_t config_len;
	struct engine_layer *layers;
	size_t n_layers;
};

struct engine {
	const char *name;     /* as settings say it */
	const char *packages; /* of Debian, for the error */
	/* Can it be used here? ERR_ABSENT with the reason when not. */
	bool (*open)(struct engine_job *job, struct err *err);
	void (*close)(struct engine_job *job);
	/* What cannot be done is ERR_INVALID before anything is spent. */
	bool (*check)(struct engine_job *job, struct err *err);
	/* Makes all of job->bases available by id, without network. */
	bool (*place)(struct engine_job *job, struct err *err);
	/* `id`: hex digits, as of bases. False with task->exit_code when the build itself failed. */
	bool (*build)(struct engine_job *job, const char **id, struct err *err);
	/* The config of an image that was built, as far as builds on top of it need it: all but the history. */
	bool (*read_config)(struct engine_job *job, const char *id, const char **config,
			    size_t *len, struct err *err);
	/* Below the folder `dir`, which is made. */
	bool (*export)(struct engine_job *job, const char *id, const char *dir,
		       struct engine_output *out, struct err *err);
};
extern const struct engine engine_buildah, engine_daemon;

/*
 * The first one that the request's setting allows and that works here. ERR_INVALID when there is none, with the reasons and
 * what to install: that is not tried again, for somebody has to do it.
 */
MUST_CHECK bool engine_open(struct engine_job *job, const struct engine **out, struct err *err);
/*
 * engine->build. The lists of ignored files are opened outside of any container, by engines and by us, and by a path: one that is
 * a link out of the context, or a pipe, is ERR_INVALID before.
 */
MUST_CHECK bool engine_build(const struct engine *engine, struct engine_job *job, const char **id,
			     struct err *err);
/* The proxies for job->env: those of `env` (struct env_var), else those of this program. */
void engine_add_proxies(struct engine_job *job, const struct list *env);

#endif
