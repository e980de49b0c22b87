/* SPDX-License-Identifier: Apache-2.0 */
/* platform_api.c — see platform_api.h. */
#include "buildexec/cnb/platform_api.h"

#include <stddef.h>
#include <string.h>

/* Platform APIs whose differences the suite's vectors cover. */
#define OLDEST_PLATFORM_MINOR 7
#define NEWEST_PLATFORM_MINOR 15

int cnb_api_minor(const char *version)
{
	int minor = 0;

	if (!version || strncmp(version, "0.", 2) != 0 || version[2] == '\0' || strlen(version) > 5)
		return -1;
	for (const char *digit = version + 2; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return -1;
		minor = minor * 10 + (*digit - '0');
	}
	return minor;
}

bool cnb_api_at_least(const char *version, int minor)
{
	return cnb_api_minor(version) >= minor;
}

bool cnb_platform_api_is_supported(const char *version)
{
	int minor = cnb_api_minor(version);

	return minor >= OLDEST_PLATFORM_MINOR && minor <= NEWEST_PLATFORM_MINOR;
}

const char *cnb_exit_text(int code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ CNB_EXIT_PLATFORM_API, "the platform API is not supported" },
		{ CNB_EXIT_BUILDPACK_API, "the API of a buildpack is not supported" },
		{ CNB_EXIT_DETECT_NONE, "no buildpack group passed detection" },
		{ CNB_EXIT_DETECT_ERRED,
		  "no buildpack group passed detection, and a buildpack failed with an error" },
		{ CNB_EXIT_BUILD_BUILDPACK, "a buildpack failed to build" },
		{ CNB_EXIT_BUILD, "the build failed" },
		{ CNB_EXIT_GENERATE_EXTENSION, "an image extension failed" },
		{ CNB_EXIT_GENERATE, "an image extension cannot be followed" },
		{ CNB_EXIT_EXTEND, "the Dockerfiles of image extensions failed" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return NULL;
}
