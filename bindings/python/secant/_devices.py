"""Devices as places of arrays: all CPU devices share memory and threads; an array knows which is its own."""

import threading
from functools import wraps

from secant import _array, _errors, _fast, _tree
from secant._lib import lib
from secant._tracer import Tracer


class Device:
    """One CPU device."""

    __slots__ = ("id", "_sharding")
    platform, device_kind, process_index, host_id, client = "cpu", "cpu", 0, 0, None

    def __init__(self, id):
        self.id = id
        self._sharding = SingleDeviceSharding(self)

    local_hardware_id = property(lambda self: self.id)

    def __repr__(self):
        return f"CpuDevice(id={self.id})"

    def __str__(self):
        return f"cpu:{self.id}"

    def __reduce__(self):
        return _device, (self.id,)

    def memory_stats(self):
        """None: the CPU keeps no account of it."""

    def live_buffers(self):
        """The arrays on this device."""
        return [x for x in live_arrays() if x.device is self]


class Sharding:
    """Where an array lies: the base of shardings, of which there is one."""

    __slots__ = ()


class SingleDeviceSharding(Sharding):
    """All of an array on one device."""

    __slots__ = ("_device",)
    memory_kind, num_devices, is_fully_addressable, is_fully_replicated, has_addressable_devices = "device", 1, True, True, True

    def __init__(self, device, *, memory_kind=None):
        if not isinstance(device, Device):
            raise TypeError(f"SingleDeviceSharding needs a device (secant.devices()[0]), got {device!r}")
        self._device = device

    device_set = property(lambda self: {self._device})
    addressable_devices = device_set

    def __repr__(self):
        return f"SingleDeviceSharding(device={self._device!r}, memory_kind={self.memory_kind})"

    def __eq__(self, other):
        return type(other) is SingleDeviceSharding and self._device is other._device

    def __hash__(self):
        return hash((SingleDeviceSharding, self._device.id))

    def __reduce__(self):
        return SingleDeviceSharding, (self._device,)

    def shard_shape(self, global_shape):
        return tuple(global_shape)

    def devices_indices_map(self, global_shape):
        """{device: the part of an array of that shape that lies there}"""
        return {self._device: (slice(None),) * len(global_shape)}

    addressable_devices_indices_map = devices_indices_map

    def is_equivalent_to(self, other, ndim):
        return self == other

    def with_memory_kind(self, kind):
        return self


class Shard:
    """The part of an array on one device: all of it."""

    __slots__ = ("device", "index", "replica_id", "data")

    def __init__(self, array):
        self.device, self.index, self.replica_id, self.data = array.device, (slice(None),) * array.ndim, 0, array

    def __repr__(self):
        return f"Shard(device={self.device!r}, index={self.index}, replica_id=0, data={self.data})"


# ---- the devices ----
_devices = []


@_errors.placed
def devices(backend=None):
    """The devices: SECANT_NUM_CPU_DEVICES of the CPU."""
    if backend not in (None, "cpu"):
        raise RuntimeError(
            f"Unknown backend: {backend!r} requested, but no platforms that are instances of {backend} are present. "
            "Platforms present are: cpu\n  hint: SECANT_NUM_CPU_DEVICES, set before the start, says how many devices the CPU has"
        )
    if not _devices:
        _devices.extend(Device(i) for i in range(lib.sec_num_devices(b"cpu")))
    return list(_devices)


def _device(id):
    """The device of a number; where there are fewer, one of its own."""
    devices()
    while id >= len(_devices):
        _devices.append(Device(len(_devices)))
    return _devices[id]


def local_devices(process_index=None, backend=None, host_id=None):
    return devices(backend)


def device_count(backend=None):
    return len(devices(backend))


def local_device_count(backend=None):
    return len(devices(backend))


def process_index(backend=None):
    return 0


def process_count(backend=None):
    return 1


def default_backend():
    return "cpu"


# ---- the default device ----
_local = threading.local()


def default_of(device, name="jax.default_device"):
    """The number of a default device that is given as a device, a platform or None; -1 for None."""
    if device is None:
        return -1
    if isinstance(device, Device):
        return device.id
    if device == "cpu":
        return 0
    raise ValueError(f"{name} must be passed a device (secant.devices()[0]) or 'cpu', got: {device!r}")


class default_device:
    """Context manager: the device of new arrays, and of results whose operands are not committed to another; for this thread."""

    def __init__(self, device):
        self._id = default_of(device)

    def __enter__(self):
        stack = _local.__dict__.setdefault("stack", [-1])
        stack.append(self._id)
        lib.sec_set_thread_device(self._id)

    def __exit__(self, *exception):
        _local.stack.pop()
        lib.sec_set_thread_device(_local.stack[-1])


# ---- arrays on devices ----
def _target(device):
    if isinstance(device, Device):
        return device.id
    if isinstance(device, SingleDeviceSharding):
        return device._device.id
    raise ValueError(
        "`device_put` only accepts None, a device, a sharding, or a pytree of these values. Received invalid value: "
        f"{device}\n  hint: secant.devices()[0] is a device"
    )


def put(x, device):
    """`x` as an array that is committed to `device`; None: as it is."""
    if isinstance(x, Tracer):
        return x
    try:
        x = _array.to_array(x)
    except TypeError:
        raise TypeError(f"Argument '{x}' of type {type(x)} is not a valid JAX type") from None
    if device is None:
        return _array.another(x)
    return _array.ArrayImpl(_errors.check_pointer(lib.sec_array_to_device(x._handle, _target(device), True)), x.aval)


@_errors.placed
def device_put(x, device=None, *, src=None, donate=False, may_alias=None):
    """The pytree `x` with its leaves as arrays, committed to `device`: a device, a sharding, or a pytree of them; None: where they
    are."""
    if device is None or isinstance(device, (Device, Sharding)):
        return _tree.tree_map(lambda leaf: put(leaf, device), x)
    leaves, tree = _tree.tree_flatten(x)
    targets = _tree.broadcast_prefix(device, x, lambda d: d is None or isinstance(d, (Device, Sharding)))
    return tree.unflatten([put(leaf, target) for leaf, target in zip(leaves, targets)])


def on_device(function):
    """Decorator of functions that make arrays: `device` says where."""

    @wraps(function)
    def wrapper(*args, device=None, **keywords):
        x = function(*args, **keywords)
        return x if device is None else put(x, device)

    return wrapper


def beside(x, like):
    """`x` on the device that `like` is committed to."""
    if type(like) is _array.ArrayImpl and lib.sec_array_is_committed(like._handle) and type(x) is _array.ArrayImpl:
        return put(x, like.device)
    return x


def live_arrays(platform=None):
    """The arrays that are alive and not deleted."""
    return [x for x in _fast.live_arrays(_array.ArrayImpl) if type(x) is _array.ArrayImpl and not x.is_deleted()]


def incompatible(error, name, function, args, keywords):
    """The library's error about operands on two devices, in terms of the call's arguments."""
    from secant._jit import _argument
    from secant.tree_util import keystr, tree_flatten_with_path

    found = {}
    for path, leaf in tree_flatten_with_path((args, keywords))[0]:
        if type(leaf) is _array.ArrayImpl and leaf.committed:
            found.setdefault(leaf.device.id, (path, leaf))
    if len(found) < 2:
        return error
    text = " and ".join(
        f"argument {_argument(function, path, keystr)} of {name} with shape {leaf.aval.str_long()} and with device ids [{id}] on "
        "platform CPU"
        for id, (path, leaf) in list(found.items())[:2]
    )
    hint = "  hint: secant.device_put(x, device) brings one to the other's device"
    message = f"{_errors.user_place()}Received incompatible devices for jitted computation. Got {text}\n{hint}"
    named = type(error)(message)
    named._placed = True
    return named
