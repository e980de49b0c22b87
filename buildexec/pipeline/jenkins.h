/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jenkins.h — requests to one Jenkins server: credentials, crumbs, waiting and trying again, and what its answers mean for
 * people. Every address is made here from the server's own; addresses out of answers are never followed, and redirects
 * are errors that name where they lead, so credentials go nowhere else.
 * Spec: Jenkins "Remote access API", "CSRF protection" (a crumb is bound to the session unless an API token is used).
 */
#ifndef BUILDEXEC_PIPELINE_JENKINS_H
#define BUILDEXEC_PIPELINE_JENKINS_H

#include "buildexec/pipeline/answer.h"
#include "buildexec/sys/http.h"
#include "buildexec/task/task.h"

struct jenkins {
	struct task *task;
	const struct request_jenkins *server;
	struct http *http;
	const char *base; /* without '/' at its end */
	struct arena *arena;
	bool has_crumb; /* asked for; crumb.field is NULL where the server has none */
	struct crumb crumb;
	const char *cookies; /* "Cookie: …" of the crumb's session; NULL */
	bool is_stopping; /* what is sent from now on takes a run back: no deadline, no cancelling */
};

struct jenkins_call {
	const char *method, *path; /* below the server's address, without '/' at its begin */
	const char *type, *body;
	int64_t patience_ms; /* how long trouble of network and server is borne; 0: one try */
	size_t max_body;     /* 0: JENKINS_BODY */
	http_write_fn *write;
	void *write_ctx;
	bool may_redirect; /* what Jenkins' pages are sent back to after a POST */
	/* 4xx that the caller understands, beside 404, which is always given back */
	int also;
};

enum {
	JENKINS_BODY = 4 << 20,
	JENKINS_SETUP_MS = 15000, /* patience before something runs there */
	JENKINS_OUTAGE_MS =
		120000, /* and while it runs: a Jenkins that starts anew goes on with its pipelines */
};

/* `config` lives as long. */
MUST_CHECK bool jenkins_open(struct jenkins *jenkins, struct task *task, struct err *err);
void jenkins_close(struct jenkins *jenkins);

/*
 * True for 2xx, 404, `also` and redirects that may be. ERR_DENIED for 401, 403 and TLS trust; ERR_TRANSIENT after the
 * patience; ERR_CANCELLED when the task is to end (jenkins_must_stop says why); ERR_INVALID else.
 */
MUST_CHECK bool jenkins_send(struct jenkins *jenkins, const struct jenkins_call *call,
			     struct arena *arena, struct http_response *out, struct err *err);
/* GET of JSON; *found is false for 404. */
MUST_CHECK bool jenkins_get(struct jenkins *jenkins, const char *path, int64_t patience_ms,
			    struct arena *arena, struct http_response *out, bool *found,
			    struct err *err);

/* Is the task cancelled or out of time? */
bool jenkins_must_stop(const struct jenkins *jenkins);
/* False as soon as the task must stop. */
bool jenkins_wait(const struct jenkins *jenkins, int64_t ms);

#endif
