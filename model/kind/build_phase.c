/* SPDX-License-Identifier: Apache-2.0 */
/* build_phase.c — see build_phase.h. */
#include "model/kind/build_phase.h"

#include <string.h>

#include "model/base/buf.h"
#include "model/doc/utf8.h"

const char *const PHASE_NAMES[] = { "New",    "Pending", "Running",   "Complete",
				    "Failed", "Error",   "Cancelled", NULL };
_Static_assert(COUNTOF(PHASE_NAMES) == PHASES, "every phase but PHASE_NONE, and the end");

const char *phase_name(enum build_phase phase)
{
	return phase > PHASE_NONE && phase < PHASES ? PHASE_NAMES[phase - 1] : "";
}

enum build_phase phase_find(const char *name)
{
	for (enum build_phase phase = PHASE_NONE + 1; name && phase < PHASES; phase++)
		if (strcmp(PHASE_NAMES[phase - 1], name) == 0)
			return phase;
	return PHASE_NONE;
}

/* clang-format off */
#define TO(phase)   (1u << (phase))
#define TO_THE_END  (TO(PHASE_COMPLETE) | TO(PHASE_FAILED) | TO(PHASE_ERROR) | TO(PHASE_CANCELLED))
static const unsigned next[] = {
	[PHASE_NONE]      = TO(PHASE_NONE) | TO(PHASE_NEW) | TO(PHASE_PENDING) | TO(PHASE_RUNNING) | TO_THE_END,
	[PHASE_NEW]       = TO(PHASE_NEW) | TO(PHASE_PENDING) | TO(PHASE_RUNNING) | TO_THE_END,
	[PHASE_PENDING]   = TO(PHASE_PENDING) | TO(PHASE_RUNNING) | TO_THE_END,
	[PHASE_RUNNING]   = TO(PHASE_RUNNING) | TO_THE_END,
	[PHASE_COMPLETE]  = TO(PHASE_COMPLETE),
	[PHASE_FAILED]    = TO(PHASE_FAILED),
	[PHASE_ERROR]     = TO(PHASE_ERROR),
	[PHASE_CANCELLED] = TO(PHASE_CANCELLED),
};
/* clang-format on */
_Static_assert(COUNTOF(next) == PHASES, "every phase needs a row");

bool phase_is_terminal(enum build_phase phase)
{
	return phase < PHASES && (TO(phase) & TO_THE_END) != 0;
}

bool phase_may_follow(enum build_phase from, enum build_phase to)
{
	return from < PHASES && to < PHASES && (next[from] & TO(to)) != 0;
}

/* clang-format off */
static const struct {
	const char *reason, *message;
} reasons[] = {
	{ "CannotCreateBuildPodSpec",        "Failed to create pod spec." },
	{ "CannotCreateBuildPod",            "Failed creating build pod." },
	{ "InvalidOutputReference",          "Output image could not be resolved." },
	{ "InvalidImageReference",           "Referenced image could not be resolved." },
	{ "CancelBuildFailed",               "Failed to cancel build." },
	{ "BuildPodDeleted",                 "The pod for this build was deleted before the build completed." },
	{ "ExceededRetryTimeout",            "Build did not complete and retrying timed out." },
	{ "MissingPushSecret",               "Missing push secret." },
	{ "PostCommitHookFailed",            "Build failed because of post commit hook." },
	{ "PushImageToRegistryFailed",       "Failed to push the image to the registry." },
	{ "PullBuilderImageFailed",          "Failed pulling builder image." },
	{ "FetchSourceFailed",               "Failed to fetch the input source." },
	{ "FetchImageContentFailed",         "Failed to extract image content." },
	{ "ManageDockerfileFailed",          "Failed to prepare the dockerfile for the build." },
	{ "InvalidContextDirectory",         "The supplied context directory does not exist." },
	{ "CancelledBuild",                  "The build was cancelled by the user." },
	{ "DockerBuildFailed",               "Dockerfile build strategy has failed." },
	{ "BuildPodExists",                  "The pod for this build already exists and is older than the build." },
	{ "GenericBuildFailed",              "Generic Build failure - check logs for details." },
	{ "OutOfMemoryKilled",               "The build pod was killed due to an out of memory condition." },
	{ "CannotRetrieveServiceAccount",    "Unable to look up the service account associated with this build." },
	{ "UnresolvableEnvironmentVariable", "Unable to resolve build environment variable reference." },
	{ "NoBuildContainerStatus",          "The pod for this build has no container statuses indicating success or failure." },
	{ "FailedContainer",                 "The pod for this build has at least one container with a non-zero exit status." },
};
/* clang-format on */

const char *reason_message(const char *reason)
{
	for (size_t i = 0; reason && i < COUNTOF(reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].message;
	return NULL;
}

enum { SNIPPET_LINES = 5, LINE_MAX_CHARS = 120, LINE_HEAD = 58, LINE_TAIL = 59 };

/* The byte where character `i` begins. */
static size_t char_at(const char *text, size_t len, size_t i)
{
	size_t at = 0;

	uint32_t c;

	for (; at < len && i; i--) {
		size_t n = utf8_get(text + at, len - at, &c);

		at += n ? n : 1;
	}
	return at;
}

static void put_line(struct buf *out, const char *line, size_t n)
{
	size_t n_chars = utf8_count(line, n), tail;

	if (n_chars <= LINE_MAX_CHARS) {
		buf_add(out, line, n);
		return;
	}
	tail = char_at(line, n, n_chars - LINE_TAIL);
	buf_add(out, line, char_at(line, n, LINE_HEAD));
	buf_puts(out, "...");
	buf_add(out, line + tail, n - tail);
}

char *log_snippet(const char *log, size_t len, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(SNIPPET_LINES * 4 * (LINE_MAX_CHARS + 2));
	size_t from, n_lines = 0;

	while (len && (log[len - 1] == '\n' || log[len - 1] == '\r'))
		len--;
	for (from = len; from; from--) {
		if (log[from - 1] == '\n' && ++n_lines == SNIPPET_LINES)
			break;
	}
	while (from < len) {
		const char *end = memchr(log + from, '\n', len - from);
		size_t n = end ? (size_t)(end - log) - from : len - from, shown = n;

		if (shown && log[from + shown - 1] == '\r')
			shown--;
		if (out.len)
			buf_byte(&out, '\n');
		put_line(&out, log + from, shown);
		from += n + 1;
	}
	return buf_copy(&out, arena);
}
