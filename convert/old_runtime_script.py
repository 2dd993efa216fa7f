"""Run a .tflite file in tflite-runtime: MODEL INPUTS.npy OUTPUTS.npy KERNELS.

This runs in the environment ``.venv-old-runtime`` and therefore imports nothing of edgemat's; see
:mod:`edgemat.convert.old_runtime`.
"""

from __future__ import annotations

import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType

RESOLVERS = {"default": OpResolverType.AUTO, "reference": OpResolverType.BUILTIN_REF}


def main(model: str, inputs: str, outputs: str, kernels: str) -> None:
    """Write the outputs, N,H,W,1 float32, for inputs of N,H,W,C float32."""
    interpreter = Interpreter(model, experimental_op_resolver_type=RESOLVERS[kernels])
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    alphas = []
    for x in np.load(inputs):
        interpreter.set_tensor(source["index"], x[None])
        interpreter.invoke()
        alphas.append(interpreter.get_tensor(result["index"]))
    np.save(outputs, np.concatenate(alphas))


if __name__ == "__main__":
    main(*sys.argv[1:])
