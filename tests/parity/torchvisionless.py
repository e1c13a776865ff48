# SPDX-License-Identifier: BSD-3-Clause
"""Imports torchvision beside a torch build that its C library rejects."""


def import_torchvision():
    """torchvision from a registry is compiled for another flavour than a CPU
    wheel of torch. Its models and transforms need none of that; declaring two
    operators that they never call lets the import pass."""
    import sys

    import torch

    try:
        import torchvision
    except RuntimeError:
        for name in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(
                operator + "(Tensor dets, Tensor scores, float t) -> Tensor")
        import_torchvision.library = library
        import torchvision
    import torchvision.models
    return torchvision
