# SPDX-License-Identifier: BSD-3-Clause
"""Writes the container of PyTorch 0.1: a tar archive of the members sys_info,
pickle, tensors and storages, laid out as legacy_load in torch/serialization.py
reads it, which is the only description left. torch.load takes these files."""
import collections
import io
import pickle
import struct
import tarfile

import torch

TYPES = {
    torch.float32: "Float", torch.float64: "Double", torch.float16: "Half",
    torch.int64: "Long", torch.int32: "Int", torch.int16: "Short",
    torch.int8: "Char", torch.uint8: "Byte", torch.bfloat16: "BFloat16",
    torch.bool: "Bool",
}
PROTOCOL = 2


class Pickler(pickle.Pickler):
    """Names tensors by number, and keeps them."""

    def __init__(self, file):
        super().__init__(file, PROTOCOL)
        self.tensors = {}

    def persistent_id(self, obj):
        if not isinstance(obj, torch.Tensor) or isinstance(obj, torch.nn.Parameter):
            return None
        key = 1000 + len(self.tensors)
        self.tensors[key] = obj
        return str(key)

    def reducer_override(self, obj):
        if not isinstance(obj, torch.nn.Parameter):
            return NotImplemented
        # As Variable.__reduce_ex__ of that time: object.__reduce_ex__ with
        # this state: data, gradient, hooks, requires_grad, volatile.
        state = (obj.data, None, None, obj.requires_grad, False)
        return (copy_new, (torch.nn.Parameter,), state)


def copy_new(kind):
    return kind.__new__(kind)


# The pickle has NEWOBJ for it, not a call of a function of this file.
copy_new.__name__ = "__newobj__"


def dump(obj, file):
    file.write(pickle.dumps(obj, PROTOCOL))


def dump_key(key, second, name, file):
    """A pickled triple whose last item is the class torch.NAME, which need not
    exist any more."""
    body = b"".join(pickle.dumps(item, PROTOCOL)[2:-1] for item in (key, second))
    file.write(b"\x80\x02" + body + b"ctorch\n" + name.encode() + b"\n\x87.")


def write_tensors(tensors, storages, file):
    dump(len(tensors), file)
    for key, tensor in tensors.items():
        root = tensor.untyped_storage()
        number = storages.setdefault(root.data_ptr() or -key, (2000 + len(storages),
                                                             tensor.dtype, root))[0]
        dump_key(key, number, TYPES[tensor.dtype] + "Tensor", file)
        file.write(struct.pack("<ii", tensor.dim(), 0))
        file.write(struct.pack("<%dq" % (2 * tensor.dim() + 1), *tensor.shape,
                               *tensor.stride(), tensor.storage_offset()))


def write_storages(storages, file):
    dump(len(storages), file)
    for number, dtype, root in storages.values():
        dump_key(number, "cpu", TYPES[dtype] + "Storage", file)
        size = torch.empty((), dtype=dtype).element_size()
        file.write(struct.pack("<q", root.nbytes() // size))
        file.write(bytes(root))
    dump([], file)


def save(obj, path):
    members, storages = collections.OrderedDict(), {}
    sys_info = dict(protocol_version=1000, little_endian=True,
                    type_sizes=dict(short=2, int=4, long=4))
    members["sys_info"] = io.BytesIO(pickle.dumps(sys_info, PROTOCOL))
    members["pickle"] = io.BytesIO()
    pickler = Pickler(members["pickle"])
    pickler.dump(obj)
    members["tensors"] = io.BytesIO()
    write_tensors(pickler.tensors, storages, members["tensors"])
    members["storages"] = io.BytesIO()
    write_storages(storages, members["storages"])
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data.getvalue())
            info.mtime = 0.5  # as then: makes a PAX header before each member
            data.seek(0)
            tar.addfile(info, data)
