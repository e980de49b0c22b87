/* SPDX-License-Identifier: Apache-2.0 */
/* stream_look.h — descriptions of image streams for the commands that print one: from the state that the context has read. */
#ifndef RECONCILE_STREAM_LOOK_H
#define RECONCILE_STREAM_LOOK_H

#include "model/kind/stream.h"
#include "reconcile/context.h"

/* What is recorded of a stream; NULL: nothing. */
const struct stream_status *stream_recorded(const struct context *context, const char *ns,
					    const char *name);
/* The description goes to context->out. EXIT_DONE, or the code of what was said. */
int stream_show(struct context *context, const struct state_entry *entry);
/* The image that a tag points at, or that an id names; -o json|yaml: the ImageStreamTag or ImageStreamImage. */
int stream_show_tag(struct context *context, const struct state_entry *entry, const char *tag);
int stream_show_image(struct context *context, const struct state_entry *entry, const char *id);

#endif
