/* SPDX-License-Identifier: Apache-2.0 */
/* request_parts.h — what requests of several kinds are put together from; for request.c and request_<kind>.c alone. */
#ifndef RECONCILE_APPLY_REQUEST_PARTS_H
#define RECONCILE_APPLY_REQUEST_PARTS_H

#include "model/kind/credentials.h"
#include "reconcile/apply/request.h"

/* The fields that every action needs. */
struct build_request *request_common(const struct step *step, const struct request_spec *spec,
				     const struct credentials *credentials, struct arena *arena);
/* The step's reasons as lines of the log. */
void request_add_reasons(const struct step *step, struct build_request *request,
			 struct arena *arena);
/* The worker stands in no folder in particular: a relative repository becomes an absolute one. */
struct source request_located(const struct source *source, const struct object *object,
			      struct arena *arena);
/* The folder of a manifest, absolute. */
const char *request_folder(const struct source_file *file, const struct request_spec *spec,
			   struct arena *arena);
/* Absolute and NULL paths stay as they are. */
const char *request_below(const char *base, const char *path, struct arena *arena);
/* Key → base64. */
struct pairs request_secret_files(const struct secret_spec *secret, struct arena *arena);
struct pairs request_map_files(const struct config_map_spec *map, struct arena *arena);

/* request_config.c */
struct build_request *request_for_config(const struct step *step, const struct request_spec *spec,
					 struct arena *arena, const struct build_event **refusal);

#endif
