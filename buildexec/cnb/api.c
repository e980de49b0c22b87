/* SPDX-License-Identifier: Apache-2.0 */
/* api.c — parsing, and the versions that are implemented here. */
#include "buildexec/cnb/api.h"

enum {
	PART_MAX = 100000,
	PLATFORM_FIRST = 7,
	PLATFORM_LAST = 15,
	BUILDPACK_FIRST = 2,
	BUILDPACK_LAST = 12
};

static const char *parse_part(const char *text, unsigned *out)
{
	*out = 0;
	while (*text >= '0' && *text <= '9' && *out < PART_MAX)
		*out = *out * 10 + (unsigned)(*text++ - '0');
	return text;
}

bool api_parse(const char *text, struct api *out)
{
	*out = (struct api){ 0 };
	if (!text)
		return false;
	text += *text == 'v';
	if (*text < '0' || *text > '9')
		return false;
	text = parse_part(text, &out->major);
	text += *text == '.';
	return *parse_part(text, &out->minor) == '\0';
}

bool api_at_least(struct api api, unsigned minor)
{
	return api.major > 0 || api.minor >= minor;
}

bool api_is_platform(struct api api)
{
	return api.major == 0 && api.minor >= PLATFORM_FIRST && api.minor <= PLATFORM_LAST;
}

bool api_is_buildpack(struct api api)
{
	return api.major == 0 && api.minor >= BUILDPACK_FIRST && api.minor <= BUILDPACK_LAST;
}
