# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import platform
import shutil

import lit.formats

config.name = "pmpd"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "fixtures", "lib", "runtime"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.pmpd_build, "test", "lit")

path = [config.pmpd_tools_dir, config.llvm_tools_dir, "/usr/bin", "/bin"]
config.environment["PATH"] = os.pathsep.join(path)
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
config.environment["FILECHECK_OPTS"] = "--dump-input-filter=all"

config.substitutions.append(("%python", config.python))
config.substitutions.append(("%node", config.node))
config.substitutions.append(("%oracle", config.oracle_dir))
config.substitutions.append(("%source", config.pmpd_source))
config.substitutions.append(("%build", config.pmpd_build))
config.substitutions.append(
    ("%storybook", os.path.join(config.pmpd_source, "examples", "storybook"))
)

if config.node and os.path.isdir(
    os.path.join(config.oracle_dir, "node_modules", "onnxruntime-node")
):
    config.available_features.add("onnxruntime")
else:
    lit_config.note("no onnxruntime-node: tests against it do not run")

ptxas = shutil.which("ptxas") or shutil.which("/usr/local/cuda/bin/ptxas")
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
else:
    lit_config.note("no ptxas: PTX is not assembled")

if platform.machine() == "x86_64":
    config.available_features.add("x86_64")
    with open("/proc/cpuinfo", encoding="ascii") as info:
        flags = next((l for l in info if l.startswith("flags")), "").split()
    for feature in ("avx2", "avx512_vnni"):
        if feature in flags:
            config.available_features.add(feature.replace("_", ""))
