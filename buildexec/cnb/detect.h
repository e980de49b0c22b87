/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h — the walk through an order: which groups are tried, which bin/detect runs when, which
 * group wins. Knows no files and no processes: both come through `ops`, so that the walk can be
 * tested as a table. Spec: buildpack.md "Phase #1: Detection", platform.md "Detector".
 */
#ifndef BUILDEXEC_CNB_DETECT_H
#define BUILDEXEC_CNB_DETECT_H

#include "buildexec/cnb/build_plan.h"

enum { DETECT_PASS = 0, DETECT_FAIL = 100, DETECT_BROKEN = -1 };

/* Of one bin/detect. Codes other than the three above are the program's own and count as errors. */
struct detect_outcome {
	int code;
	bool is_pending;             /* not run yet                             */
	const char *output, *error;  /* texts for the log, or NULL              */
	struct plan_options options; /* when it passed                          */
};
struct detect_job {
	const struct bp_descriptor *descriptor;
	struct detect_outcome *outcome;
};

enum say_level { SAY_DEBUG, SAY_INFO, SAY_WARN, SAY_ERROR };

struct detect_ops {
	void *self;
	/* The buildpack in the builder; false when it is not there or unreadable, which ends
	 * detection. */
	bool (*find)(void *self, const struct bp_element *element, const struct bp_descriptor **out,
		     struct err *err);
	/* Runs bin/detect of all of them, at the same time. */
	void (*run)(void *self, const struct detect_job *jobs, size_t n);
	void (*say)(void *self, enum say_level level, const char *text);
};

struct detect_spec {
	struct detect_ops ops;
	struct api platform;
	const char *exec_env;
	struct bp_target target; /* of the run image, completed */
};

enum detect_verdict {
	DETECT_NONE,   /* no group passed                            */
	DETECT_ERRORS, /* no group passed, and a buildpack was broken */
	DETECT_FOUND,
};
struct detect_result {
	enum detect_verdict verdict;
	struct plan_result found;
};

/* False on what ends detection at once: a buildpack that is not there, limits, `find` failing. */
MUST_CHECK bool detect_walk(const struct detect_spec *spec, const struct bp_order *order,
			    struct arena *arena, struct detect_result *out, struct err *err);

#endif
