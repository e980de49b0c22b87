/* links: exec_source */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_archive.c — any bytes as a source archive and as a layer, packed as their last byte says (packed.h): refused or unpacked,
 * and nothing appears beside the folders.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/source/archive.h"
#include "buildexec/sys/fs.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/packed.h"

/* In the last byte, beside how it is packed: how many parts of names are left out. */
enum { STRIP = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct archive_limits limits = {
		.bytes = 1 << 20, .entries = 200, .ratio = 100, .free_bytes = 1 << 16
	};
	AUTO_FD fd = fuzz_packed_file(data, size);
	struct arena *arena = arena_new();
	const char *folder = fuzz_folder();

	for (int i = 0; i < 2; i++) {
		const char *dest = path_join(arena, folder, i ? "layer" : "source");
		struct archive_spec spec = { .fd = fd,
					     .dest = dest,
					     .strip = i || !size ? 0 : data[size - 1] / STRIP % 3,
					     .is_layer = i > 0,
					     .limits = &limits };
		struct err err = { 0 };

		if (mkdir(dest, 0755) < 0)
			abort();
		if (!archive_unpack(&spec, &err) && err.kind == ERR_NONE)
			BUG("a failure without an error");
	}
	if (fuzz_folder_names() != 2)
		BUG("something is beside the folders");
	arena_free(arena);
	return 0;
}
