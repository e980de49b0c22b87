/* SPDX-License-Identifier: Apache-2.0 */
/* say.c — levels, prefixes, and the kept lines of detection. */
#include "buildexec/cnb/guest/say.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[SAY_DEBUG] = "debug",
	[SAY_INFO] = "info",
	[SAY_WARN] = "warn",
	[SAY_ERROR] = "error",
};
static const char *const prefixes[] = {
	[SAY_DEBUG] = "",
	[SAY_INFO] = "",
	[SAY_WARN] = "Warning: ",
	[SAY_ERROR] = "ERROR: ",
};

bool say_level_parse(const char *text, enum say_level *out)
{
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum say_level)i;
			return true;
		}
	return false;
}

static void show(enum say_level level, const char *text)
{
	size_t n = strlen(text);
	FILE *to = level == SAY_ERROR ? stderr : stdout;

	/* Output of buildpacks has its own line end. */
	fprintf(to, "%s%s%s", prefixes[level], text, n && text[n - 1] == '\n' ? "" : "\n");
	fflush(to);
}

void say(const struct speaker *speaker, enum say_level level, const char *fmt, ...)
{
	va_list args;

	if (level < speaker->level)
		return;
	va_start(args, fmt);
	show(level, arena_vprintf(speaker->arena, fmt, args));
	va_end(args);
}

void say_keep(struct speaker *speaker, enum say_level level, const char *text)
{
	vec_push(speaker->arena, &speaker->kept, (struct said){ level, text });
}

void say_kept(struct speaker *speaker, bool with_all)
{
	for (size_t i = 0; i < speaker->kept.n; i++)
		if (with_all || speaker->kept.v[i].level >= speaker->level)
			show(speaker->kept.v[i].level, speaker->kept.v[i].text);
	speaker->kept.n = 0;
}
