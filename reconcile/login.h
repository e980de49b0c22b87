/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h — what the options of `secret create` ask for, as the parts of a Secret (kpack.md §4.4, §5.6). The password or key
 * is no part of it: it comes from a variable or a file when reconcile runs. Pure, but for the question where a file lies.
 */
#ifndef RECONCILE_LOGIN_H
#define RECONCILE_LOGIN_H

#include "reconcile/options.h"

struct login {
	const char *type;       /* of the Secret */
	const char *annotation; /* kpack.io/docker or kpack.io/git */
	const char *target;     /* its value: the server */
	const char *user;       /* NULL: a key */
	const char *key;        /* of the Secret: "password", "ssh-privatekey" */
	const char *file;       /* that the user named as the value's place; NULL */
};
/* ERR_INVALID: wrong together, or not enough. */
MUST_CHECK bool login_read(const struct secret_options *options, struct arena *arena,
			   struct login *out, struct err *err);

/* Where the value will come from: one of both. */
struct login_source {
	const char *variable, *file;
	const char *left; /* a file that was named and may not be used; NULL */
};
struct login_place {
	const char *dir; /* absolute: folder of the manifests */
	const char *ns, *name;
};
MUST_CHECK bool login_find_source(const struct login *login, const struct secret_options *options,
				  const struct login_place *place, struct arena *arena,
				  struct login_source *out, struct err *err);

#endif
