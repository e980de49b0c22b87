/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary.h — what was sent along with the request for a build, as the builder reads it from its standard input: a file or an
 * archive byte for byte, a folder as tar.gz.
 * Spec: OpenShift pkg/build/controller/strategy/custom.go (Stdin of binary sources), oc start-build --from-dir.
 */
#ifndef BUILDEXEC_CUSTOM_BINARY_H
#define BUILDEXEC_CUSTOM_BINARY_H

#include "buildexec/task/task.h"

/*
 * *fd: open for reading at its beginning, the caller's; -1 when nothing came along. ERR_CONFLICT when it is no longer what was
 * planned with.
 */
MUST_CHECK bool custom_binary_open(struct task *task, int *fd, struct err *err);

#endif
