/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_bytes.h — the two static programs that run inside images, as bytes of this program: nothing else needs to be
 * installed. cnb-guest is put into the builder's root for detection and build, the launcher into application images.
 */
#ifndef BUILDEXEC_CNB_GUEST_BYTES_H
#define BUILDEXEC_CNB_GUEST_BYTES_H

#include <stddef.h>

extern const unsigned char cnb_guest_bytes[], cnb_launcher_bytes[];
extern const size_t cnb_guest_size, cnb_launcher_size;

#endif
