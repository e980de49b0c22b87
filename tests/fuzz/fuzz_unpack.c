/* links: exec_image */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_unpack.c — any bytes as a layer, packed as their last byte says (packed.h): refused or unpacked in either form, and nothing
 * appears beside the folder.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/unpack.h"
#include "buildexec/sys/fs.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/packed.h"

/* In the last byte, beside how it is packed: what root sets and what others may are different ways through. */
enum { AS_USER = 16, EXACT = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FD fd = fuzz_packed_file(data, size);
	const unsigned how = size ? data[size - 1] : 0;
	struct unpack_spec spec = { .fd = fd,
				    .form = how & AS_USER ? UNPACK_AS_USER : unpack_form_here(),
				    .has_exact_modes = how & EXACT };
	struct unpack_stats stats;
	struct err err = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/layer", fuzz_folder());
	if (mkdir(path, 0755) < 0)
		abort();
	spec.dir = path;
	if (!unpack_layer(&spec, &stats, &err) && err.kind == ERR_NONE)
		BUG("a failure without an error");
	if (fuzz_folder_names() != 1)
		BUG("something is beside the layer");
	return 0;
}
