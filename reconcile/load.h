/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h — manifests into a model: a folder (recursively *.yaml, *.yml, *.json), one file, or "-" for standard input.
 * Hidden files and folders are passed over; links to files are followed only inside the folder, links to folders never.
 * Files are read and decoded by all cores; every problem of every file is reported, in order of path and line.
 * What may run a program comes only from settings of a trusted place: --settings, or the user's own file.
 */
#ifndef RECONCILE_LOAD_H
#define RECONCILE_LOAD_H

#include "model/kind/policy.h"

/* What stands in for a file: an edit that is to be checked before it is written. */
struct load_overlay {
	const char *path; /* as in loaded.files, or of a file that is not there yet */
	const char *text; /* NULL: as if the file were gone; lent as long as what was loaded */
	size_t len;
};

struct load_spec {
	const char *path;     /* as the user gave it */
	const char *settings; /* --settings: trusted, replaces what the folder says; NULL */
	const char *user;     /* settings file of the user, trusted; NULL, or absent on disk */
	const struct load_overlay *overlays;
	size_t n_overlays;
	bool is_strict;
	size_t threads; /* 0: cores */
};

struct loaded {
	struct model model;
	struct diags diags;
	/* Trusted-only fields that stood in the folder's own settings and do not count (design §7); NULL: none. */
	const char *dropped;
	bool has_trusted_settings; /* all of model.settings come from a trusted place */
	/* absolute: what local paths are relative to when a manifest came from stdin */
	const char *dir;
	/* absolute, without links: the folder or file itself; NULL: standard input */
	const char *place;
	const char *shown;     /* how the paths of files begin for it; NULL: standard input */
	bool is_partial;       /* a manifest was passed over with a warning */
	struct arena **arenas; /* of the decoding batches; freed by loaded_release */
	size_t n_arenas;
	struct markers markers; /* what model.markers lists */
	struct strings files;   /* that were read, in order; none for standard input */
};

/*
 * False only when the path itself cannot be read. Mistakes in manifests are in out->diags; the model holds what could be
 * decoded, and must not be acted on when there are errors.
 */
MUST_CHECK bool load_manifests(const struct load_spec *spec, struct arena *arena,
			       struct loaded *out, struct err *err);
/* A text that the user names: a file, or "-" for standard input. */
MUST_CHECK bool load_text(const char *path, struct arena *arena, struct source_file *out,
			  struct err *err);
void loaded_release(struct loaded *loaded);

#endif
