"""Compiled jaxprs with the pointer arrays that a call needs, kept ready."""

import ctypes

from secant import _errors, _running, _types
from secant._array import ArrayImpl
from secant._lib import context, lib, take_text

_execute, _execute_donating = lib.sec_execute, lib.sec_execute_donating
_is_deleted = lib.sec_array_is_deleted


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

    def run(self, arrays):
        """New arrays: the results for arrays."""
        with _running.run:
            return self._run([a._handle for a in arrays], _execute)

    def run_donating(self, arrays, donate):
        """As run; the arrays where donate[i] give their memory away and are deleted, unless others hold it."""
        twice = len({id(a) for a in arrays}) < len(arrays)  # which the library complains about
        claimed = _running.claim([] if twice else [a for a, flag in zip(arrays, donate) if flag])
        alone = not _running.flying
        handles = {id(a): handle for a, handle in claimed}
        handles = [handles.get(id(a)) or a._handle for a in arrays]
        done = False
        try:
            with _running.run:
                out = self._run(handles, _execute_donating, self.flags(donate if alone or twice else [False] * self.n_in))
            done = True
        finally:
            for a, handle in claimed:
                if _is_deleted(handle) or (done and not alone):
                    _running.end(handle)
                else:
                    _running.give_back(a, handle)
        return out

    def _run(self, handles, execute, *more):
        try:
            buffers = self._ready.pop()
        except IndexError:
            buffers = self._make()
        buffers[0][:] = handles
        outs = buffers[1]
        if execute(self.handle, buffers[2], *more, buffers[3]):
            raise _errors.error()
        arrays = [ArrayImpl(handle, aval) for handle, aval in zip(outs, self.out_avals)]
        self._ready.append(buffers)
        return arrays

    def flags(self, donate):
        """`donate` for every operand, captures first."""
        return (ctypes.c_bool * (self.n_captures + self.n_in))(*[False] * self.n_captures, *donate)

    def taken_by(self, donate):
        """Of every input: the result that is set against it; -1: none, or not donated; -2: nothing reads it."""
        out = (ctypes.c_int * (self.n_captures + self.n_in))()
        lib.sec_executable_donation(self.handle, self.flags(donate), out)
        return out[self.n_captures :]

    def alias_bytes(self, donate):
        """Bytes of results that lie in the memory of donated inputs."""
        return int(lib.sec_executable_alias_bytes(self.handle, self.flags(donate)))

    def text(self, stage):
        return take_text(_errors.check_pointer(lib.sec_executable_text(self.handle, stage.encode())))

    def cost(self, what):
        return lib.sec_executable_cost(self.handle, what.encode())
