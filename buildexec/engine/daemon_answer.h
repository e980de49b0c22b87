/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon_answer.h — what a Docker daemon says while it builds: JSON values, one a line, for as long as the build prints. Of the
 * whole only the last words are kept, so that a build that prints without end costs no memory. Foreign, cut anywhere.
 * Pure. Spec: Docker Engine API 1.41 "Build an image", moby pkg/jsonmessage.
 */
#ifndef BUILDEXEC_ENGINE_DAEMON_ANSWER_H
#define BUILDEXEC_ENGINE_DAEMON_ANSWER_H

#include "model/base/buf.h"

/* Zeroed it is ready, but for the first two. */
struct daemon_answer {
	void (*on_text)(void *ctx, const char *text); /* what the build prints */
	void *ctx;
	struct buf line;        /* what has no newline yet */
	char id[128];           /* of what was built; "": it has not been said */
	char instruction[1024]; /* the last one that began, cut; "" */
	char error[4096];       /* cut */
	bool has_failed;
	int exit_code; /* 1 to 255 when it has failed */
};

/* More bytes; false when a line is longer than any that a daemon sends. */
bool daemon_answer_take(void *answer, const char *bytes, size_t n);
/* Frees the unfinished line. */
void daemon_answer_end(struct daemon_answer *answer);

#endif
