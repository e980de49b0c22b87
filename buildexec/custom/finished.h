/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finished.h — which build of a build config ended well last, and with what: one small file for each, below <cache>/custom.
 * A builder pushes on its own and need not keep an annotation of ours, so that an image does not tell which build it is of;
 * by this file one that was pushed and not recorded is found again by the next run on this machine. Where the file is not (another
 * machine, an emptied cache, a builder that was killed behind its own push) the build runs again.
 */
#ifndef BUILDEXEC_CUSTOM_FINISHED_H
#define BUILDEXEC_CUSTOM_FINISHED_H

#include "buildexec/task/task.h"

/* Has the build of the request's key ended well, as the last one of its build config? *digest: of its image; "": it has none. */
bool custom_finished_read(const struct task *task, const char **digest);
/* Before another one runs: whatever comes of it, what was there may be undone. */
MUST_CHECK bool custom_finished_forget(const struct task *task, struct err *err);
/* That one ended well. What cannot be written is built again if this run dies. digest: as above. */
void custom_finished_write(const struct task *task, const char *digest);

#endif
