/* SPDX-License-Identifier: Apache-2.0 */
/* image.h — what an engine built, as an image of ours: layers of bases stay where they are, the others are packed and pushed. */
#ifndef BUILDEXEC_ENGINE_IMAGE_H
#define BUILDEXEC_ENGINE_IMAGE_H

#include "buildexec/engine/engine.h"
#include "buildexec/image/assemble.h"

MUST_CHECK bool built_image(struct engine_job *job, const struct engine_output *output,
			    struct image_draft *out, struct err *err);
/* Folders of its layers, bottom first, unpacked where they are not. */
MUST_CHECK bool built_unpack(struct engine_job *job, const struct image_draft *draft,
			     struct strings *dirs, struct err *err);
/* To all tags of the request; without tags nothing happens. Sets result.image. */
MUST_CHECK bool built_push(struct task *task, const struct image_draft *draft, struct err *err);

#endif
