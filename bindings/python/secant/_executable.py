"""Compiled jaxprs with the pointer arrays that a call needs, kept ready."""

import ctypes

from secant import _errors, _types
from secant._array import ArrayImpl
from secant._lib import context, lib, take_text

_execute = lib.sec_execute


class Executable:
    """Machine code for one jaxpr, with its captured arrays."""

    __slots__ = ("handle", "jaxpr", "captures", "n_captures", "n_in", "n_out", "out_avals", "_ready")

    def __init__(self, jaxpr):
        out = ctypes.c_void_p()
        _errors.check(lib.sec_compile(context, jaxpr.handle, None, ctypes.byref(out)))
        self.handle, self.jaxpr = out.value, jaxpr
        self.captures = jaxpr.consts
        self.n_captures = len(self.captures)
        self.n_in, self.n_out = jaxpr.n_in, jaxpr.n_out
        self.out_avals = [_types.aval_at(lib.sec_executable_out_aval(self.handle, i)) for i in range(self.n_out)]
        self._ready = []

    def __del__(self, release=lib.sec_executable_release):
        handle = getattr(self, "handle", None)
        if handle:
            release(handle)

    def _make(self):
        """Pointer arrays for one call; a thread takes a set and puts it back."""
        ins = (ctypes.c_void_p * (self.n_captures + self.n_in))(*[a._handle for a in self.captures])
        outs = (ctypes.c_void_p * self.n_out)()
        own = (ctypes.c_void_p * self.n_in).from_buffer(ins, self.n_captures * ctypes.sizeof(ctypes.c_void_p))
        return own, outs, ctypes.addressof(ins), ctypes.addressof(outs), ins

    def run(self, handles):
        """New arrays for the handles of the inputs."""
        try:
            buffers = self._ready.pop()
        except IndexError:
            buffers = self._make()
        buffers[0][:] = handles
        outs = buffers[1]
        if _execute(self.handle, buffers[2], buffers[3]):
            raise _errors.error()
        arrays = [ArrayImpl(handle, aval) for handle, aval in zip(outs, self.out_avals)]
        self._ready.append(buffers)
        return arrays

    def text(self, stage):
        return take_text(_errors.check_pointer(lib.sec_executable_text(self.handle, stage.encode())))

    def cost(self, what):
        return lib.sec_executable_cost(self.handle, what.encode())
