// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_DESCRIPTOR_H
#define PMPD_RUNTIME_DESCRIPTOR_H

#include "runtime/Status.h"

namespace pmpd::rt {

/// Checks everything the runtime relies on in a generated library's
/// descriptor. Errors: BAD_MODEL, UNSUPPORTED_CPU.
pmpd_status checkDescriptor(const pmpd_model_desc &desc);

/// The part of it that does not depend on where regions run: dimensions, the
/// table of regions but for their entry points, classifiers.
/// Errors: BAD_MODEL.
pmpd_status checkDimensions(const pmpd_model_desc &desc);

/// Bytes of K and V of one token over all layers.
uint64_t kvBytesPerToken(const pmpd_model_desc &desc);

/// Bytes of K and V of one layer.
uint64_t kvLayerBytes(const pmpd_model_desc &desc);

/// The region for a phase and bits, or null.
const pmpd_region_desc *findRegion(const pmpd_model_desc &desc,
                                   pmpd_phase phase, int32_t bits);

/// The highest bits compiled for a phase.
int32_t highestBits(const pmpd_model_desc &desc, pmpd_phase phase);

/// Fails with UNSUPPORTED_BITS, naming what was compiled for the phase.
pmpd_status failUnsupportedBits(const pmpd_model_desc &desc, pmpd_phase phase,
                                int32_t bits);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_DESCRIPTOR_H
