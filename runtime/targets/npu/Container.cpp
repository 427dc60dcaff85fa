// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Container.h"

#include <algorithm>

std::vector<uint8_t>
pmpd::npu::pack(const std::vector<Payload> &payloads,
                const uint8_t weightsDigest[PMPD_DIGEST_BYTES]) {
  std::vector<pmpd_npu_section_header> headers;
  for (const Payload &payload : payloads) {
    pmpd_npu_section_header header = {};
    payload.tag.copy(header.tag, sizeof(header.tag));
    header.bytes = payload.bytes.size();
    header.align = payload.align;
    headers.push_back(header);
  }
  auto count = static_cast<uint32_t>(headers.size());
  std::vector<uint8_t> file(pmpd_npu_place(headers.data(), count));
  for (uint32_t i = 0; i < count; ++i)
    std::copy(payloads[i].bytes.begin(), payloads[i].bytes.end(),
              file.begin() + static_cast<ptrdiff_t>(headers[i].offset));
  pmpd_npu_seal(file.data(), file.size(), headers.data(), count, weightsDigest);
  return file;
}
