// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_SPLITMIX_H
#define PMPD_RUNTIME_SPLITMIX_H

#include <cstdint>

namespace pmpd::rt {

/// The next number of SplitMix64 (Steele, Lea, Flood 2014).
inline uint64_t splitMix(uint64_t &state) {
  state += 0x9e3779b97f4a7c15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

/// The next number in [0, 1).
inline double nextUniform(uint64_t &state) {
  return double(splitMix(state) >> 11) * 0x1p-53;
}

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SPLITMIX_H
