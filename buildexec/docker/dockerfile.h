/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerfile.h — finds the instructions of a Dockerfile, and makes the changes that OpenShift makes before it builds one:
 * another base image, variables, labels, images by other names. Text to text, pure; what is not changed stays as it is, byte
 * by byte. Whether the instructions make sense is for the engine to say.
 * Spec: Dockerfile reference (continuations, escape directive, comments, here-documents); openshift.md §3.7.
 */
#ifndef BUILDEXEC_DOCKER_DOCKERFILE_H
#define BUILDEXEC_DOCKER_DOCKERFILE_H

#include "model/base/buf.h"
#include "model/doc/field.h"

enum { DOCKERFILE_MAX_BYTES = 4 << 20, DOCKERFILE_OUT_MAX_BYTES = 64 << 20 };

/* Bytes of the text; `value` is what they say with continuations taken out. NULL value: absent. */
struct docker_span {
	size_t start, end;
	const char *value;
};

struct docker_instruction {
	const char *name;         /* upper case: "FROM" */
	size_t start, end;        /* with the line break behind it, and with its here-documents */
	uint32_t line;            /* from 1 */
	struct docker_span image; /* FROM: the image; COPY: the value of --from */
	struct docker_span stage; /* FROM: the name after AS */
	struct docker_span platform; /* FROM: the value of --platform */
	bool has_here;               /* here-documents belong to it */
	const char *args;            /* behind the name, without continuations and here-documents */
};

struct dockerfile {
	const char *text;
	size_t len;
	char escape;   /* '\\', or '`' by directive */
	bool has_crlf; /* its first line ends so */
	/* The text ends in a continuation: from here on it has blanks, escapes and comments only; len: it does not. */
	size_t dangling;
	struct docker_instruction *v;
	size_t n, cap;
	size_t n_stages;
};

/*
 * `text` is lent. ERR_INVALID names the line: a text of more than DOCKERFILE_MAX_BYTES or with NUL bytes, an escape directive
 * with another character, a FROM without image, a here-document without end.
 */
MUST_CHECK bool dockerfile_parse(const char *text, size_t len, struct arena *arena,
				 struct dockerfile *out, struct err *err);

struct docker_pair {
	const char *name, *value;
	bool may_expand; /* $NAME in the value is for the engine to expand, as in a Dockerfile; else it is literal */
};
/* All may be empty. */
struct docker_changes {
	const char *from; /* of the last FROM; NULL: as written */
	struct pairs
		images; /* name → image, for FROM and for COPY --from, by exact name; no names of stages */
	struct list env;      /* struct docker_pair: ENV behind every FROM */
	struct list last_env; /* struct docker_pair: ENV at the end */
	struct list labels;   /* struct docker_pair: LABEL at the end; later ones of a name win */
};
/*
 * The changed text; a Dockerfile without FROM is ERR_INVALID, as is a change that would not fit a line (names and images with
 * blanks, quotes or line breaks). The order is OpenShift's: the replaced `from` may itself be one of `images`.
 */
MUST_CHECK bool dockerfile_change(const struct dockerfile *file,
				  const struct docker_changes *changes, struct buf *out,
				  struct err *err);

#endif
