/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform_api.h — versions of the Platform and Buildpack APIs ("0.12"), and the exit codes by which a lifecycle tells a platform
 * what failed. Spec: buildpacks/spec platform.md "Platform API Compatibility" and the exit code tables of each phase.
 */
#ifndef BUILDEXEC_CNB_PLATFORM_API_H
#define BUILDEXEC_CNB_PLATFORM_API_H

#include <stdbool.h>

/* What our own lifecycle speaks when nobody asks for another version. */
#define CNB_PLATFORM_API "0.15"

/* The N of "0.N"; -1 when the text is no such version. */
int cnb_api_minor(const char *version);
/* True when `version` is "0.N" with N ≥ minor. */
bool cnb_api_at_least(const char *version, int minor);
bool cnb_platform_api_is_supported(const char *version);

enum cnb_exit {
	CNB_EXIT_OK = 0,
	CNB_EXIT_FAILED = 1,
	CNB_EXIT_ARGUMENTS = 3,
	CNB_EXIT_PLATFORM_API = 11,
	CNB_EXIT_BUILDPACK_API = 12,
	CNB_EXIT_DETECT_NONE = 20,  /* no group passed, nothing erred       */
	CNB_EXIT_DETECT_ERRED = 21, /* no group passed, a buildpack erred   */
	CNB_EXIT_DETECT = 22,
	CNB_EXIT_ANALYZE = 32,
	CNB_EXIT_RESTORE = 42,
	CNB_EXIT_BUILD_BUILDPACK = 51, /* a buildpack's bin/build failed      */
	CNB_EXIT_BUILD = 52,
	CNB_EXIT_EXPORT = 62,
	CNB_EXIT_REBASE = 72,
	CNB_EXIT_GENERATE_EXTENSION = 91, /* an extension's bin/generate failed */
	CNB_EXIT_GENERATE = 92,
	CNB_EXIT_EXTEND = 102,
};

/* "Detect: no group passed" and the like, for the failure text; NULL when the code says nothing more. */
const char *cnb_exit_text(int code);

#endif
