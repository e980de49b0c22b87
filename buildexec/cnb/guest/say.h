/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h — lines for people, as the reference lifecycle prints them: to stdout, errors to stderr with "ERROR: ".
 * Lines of detection are kept until its end: when it fails, all of them are shown.
 */
#ifndef BUILDEXEC_CNB_GUEST_SAY_H
#define BUILDEXEC_CNB_GUEST_SAY_H

#include "buildexec/cnb/detect.h"

struct said {
	enum say_level level;
	const char *text;
};
struct speaker {
	enum say_level level; /* lines below it are not shown */
	struct arena *arena;
	VEC(struct said) kept;
};

/* "debug", "info", "warn", "error"; false for other words. */
bool say_level_parse(const char *text, enum say_level *out);
void say(const struct speaker *speaker, enum say_level level, const char *fmt, ...) PRINTF(3, 4);
void say_keep(struct speaker *speaker, enum say_level level, const char *text);
/* Shows what was kept: all of it, or by level. */
void say_kept(struct speaker *speaker, bool with_all);

#endif
