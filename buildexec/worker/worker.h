/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h — the other side of the worker protocol (model/kind/build_request.h): one JSON request in, JSON-lines events out,
 * build output on stderr. Which action is whose.
 */
#ifndef BUILDEXEC_WORKER_WORKER_H
#define BUILDEXEC_WORKER_WORKER_H

/* Returns the process's exit status: 0 after a result, 1 after a failure. */
int worker_main(int in_fd, int out_fd);

#endif
