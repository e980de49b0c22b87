/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h — what a Jenkins server answers, as values. Pure: bytes in, values out. Foreign bytes: every reader fails with
 * ERR_INVALID on what is no such answer, and keeps nothing that could not be sent back in a header or shown.
 * Spec: Jenkins remote access API (<object>/api/json); "Pipeline: REST API" plugin (wfapi/describe).
 */
#ifndef BUILDEXEC_PIPELINE_ANSWER_H
#define BUILDEXEC_PIPELINE_ANSWER_H

#include "model/kind/build_config_status.h"

/* A parameter of every run of ours: the build key, by which a run is found again. */
#define PARAMETER_KEY    "RECONCILE_BUILD_KEY"
#define PARAMETER_BUILD  "RECONCILE_BUILD"
#define PARAMETER_COMMIT "RECONCILE_COMMIT"

enum { ANSWER_STAGES = 200, ANSWER_STAGE_NAME = 256 };

struct crumb {
	const char *field, *value; /* of a header */
};
struct queue_executable {
	int64_t number;
};
struct queue_item {
	int64_t id;
	bool is_cancelled;
	const char *why;                     /* why it waits; NULL */
	struct queue_executable *executable; /* NULL: it waits still */
	const struct node *actions;
};
struct pipeline_run {
	int64_t number, queue_id;
	bool is_building;
	const char *
		result; /* "SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"; NULL: none yet */
	const struct node *actions;
};

/* crumbIssuer/api/json */
MUST_CHECK bool answer_crumb(const char *json, size_t n, struct arena *arena, struct crumb *out,
			     struct err *err);
/* queue/item/ID/api/json */
MUST_CHECK bool answer_queue_item(const char *json, size_t n, struct arena *arena,
				  struct queue_item *out, struct err *err);
/* queue/api/json: struct queue_item */
MUST_CHECK bool answer_queue(const char *json, size_t n, struct arena *arena, struct list *out,
			     struct err *err);
/* job/NAME/N/api/json */
MUST_CHECK bool answer_run(const char *json, size_t n, struct arena *arena,
			   struct pipeline_run *out, struct err *err);
/* job/NAME/api/json with builds: struct pipeline_run, newest first */
MUST_CHECK bool answer_runs(const char *json, size_t n, struct arena *arena, struct list *out,
			    struct err *err);
/* job/NAME/api/json: is it a folder that takes jobs? */
MUST_CHECK bool answer_is_folder(const char *json, size_t n, struct arena *arena, bool *out,
				 struct err *err);
/* job/NAME/N/wfapi/describe: struct build_stage, at most ANSWER_STAGES; names are cut and made visible. */
MUST_CHECK bool answer_stages(const char *json, size_t n, struct arena *arena, struct list *out,
			      struct err *err);

/* The value of a text parameter in the actions of a run or queue item; NULL: it has none. */
const char *answer_parameter(const struct node *actions, const char *name);
/* The id at the end of ".../queue/item/12/"; 0: there is none. The rest of the address is not looked at. */
int64_t answer_queue_id(const char *location);
/* "name=value" of a Set-Cookie header; NULL when it could not be sent back. */
char *answer_cookie(const char *set_cookie, struct arena *arena);

#endif
