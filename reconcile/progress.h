/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h — what a person is told on stderr while a run goes on: plain lines, one for each start and end; phases and a
 * heartbeat only where somebody would otherwise wonder.
 */
#ifndef RECONCILE_PROGRESS_H
#define RECONCILE_PROGRESS_H

#include "reconcile/apply/apply.h"
#include "reconcile/start.h"

struct progress {
	bool is_terminal;
	const char
		*follow; /* id of the object whose build's log is shown as it comes; NULL: none */
	int follow_fd;   /* where it is shown */
	struct build_starter *starter; /* its build is announced when it starts; NULL: none */
};
/* Fills the callbacks; `progress`, filled by the caller, is their context. */
void progress_init(struct progress *progress, struct apply_events *out);

#endif
