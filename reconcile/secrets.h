/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.h — values of Secrets that do not stand in the manifests: from the environment or from a file, as the annotations
 * reconcile.dev/from-env and reconcile.dev/from-file say. A pull request writes manifests too, so it must not be able to name
 * just any variable or file and have it sent somewhere: only variables that begin with RECONCILE_SECRET_, only files below
 * the manifests' folder or /run/secrets. And it says which server a login is for: where that matters, trusted settings say which
 * servers a variable or file may be sent to (Settings, `secrets`).
 */
#ifndef RECONCILE_SECRETS_H
#define RECONCILE_SECRETS_H

#include "model/kind/kind.h"

#define VARIABLE_PREFIX "RECONCILE_SECRET_"

struct secrets_spec {
	const char *dir;  /* absolute: the folder of the manifests */
	bool with_values; /* false: only what may not be named is reported, nothing is read */
	/*
	 * struct settings_secret: where values from outside may go as logins; NULL: none. Once there is one, or in a dry run,
	 * whose manifests may be anybody's, a value that none names goes nowhere.
	 */
	const struct list *rules;
	bool is_dry_run;
};
/*
 * Mistakes are errors in diags; a variable or file that is not there is a warning, and the Secret has no such value. All
 * values, those of the manifests too, are made known to the redactor.
 */
void secrets_read(const struct secrets_spec *spec, struct model *model, struct diags *diags);

/* What a Secret may name: "RECONCILE_SECRET_…"; a file by its path (absolute), `dir` as above. Absent files are judged by name. */
bool secrets_variable_is_allowed(const char *name);
bool secrets_file_is_allowed(const char *dir, const char *path);

#endif
