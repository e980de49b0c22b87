/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder.h — what targets that read and write files share. One temporary folder for the whole process, below $TMPDIR (else /tmp)
 * and removed at its end: a folder made and locked for each input costs more than most parsers do.
 */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

#include <stddef.h>
#include <stdint.h>

/* The folder, emptied. */
const char *fuzz_folder(void);
/* As it is. */
const char *fuzz_folder_path(void);
/* How many names it holds, without "." and "..". */
size_t fuzz_folder_names(void);
/* A file of that content below the folder, which has the folders above it. */
void fuzz_folder_file(const char *name, const uint8_t *data, size_t size);
/* An input that is several texts: the byte 255, which no text holds, ends each. */
struct fuzz_part {
	const uint8_t *data;
	size_t size;
};
size_t fuzz_parts(const uint8_t *data, size_t size, struct fuzz_part *out, size_t max);
/* A file in memory, at its beginning. */
int fuzz_memory_file(const uint8_t *data, size_t size);

#endif
