/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h — versions of the Platform and Buildpack APIs as values.
 * Spec: buildpacks/spec "API Versioning": 0.x stands for itself alone; from 1 on a minor version
 * includes the smaller ones.
 */
#ifndef BUILDEXEC_CNB_API_H
#define BUILDEXEC_CNB_API_H

#include "model/base/err.h"

struct api {
	unsigned major, minor;
};

/* "0.12", "v1", "1.2". False for anything else, NULL too. */
bool api_parse(const char *text, struct api *out);
/* At least 0.<minor>. */
bool api_at_least(struct api api, unsigned minor);

bool api_is_platform(struct api api);
bool api_is_buildpack(struct api api);

#endif
