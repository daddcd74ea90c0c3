"""Open traces and jaxprs: Python functions become sec_jaxprs; jaxprs are applied in a trace, or run."""

import ctypes
import threading

import numpy as np

from secant import _array, _errors, _running, _types
from secant._array import ArrayImpl, Number, to_array
from secant._lib import context, lib, take_text
from secant._tracer import Tracer, place

TRUTH = "its truth (bool(), if, and, or, not, while)"
TRACE_ID = 0xFFFFFFFF  # the bits of a value that name its trace


class Frame:
    """One open trace of this thread; `answers` are the truths known so far where conditions may be evaluated."""

    __slots__ = ("trace", "id", "answers", "asked")

    def __init__(self, trace, answers):
        self.trace, self.id, self.answers, self.asked = trace, None, answers, 0


class _Local(threading.local):
    def __init__(self):
        self.frames = []
        self.shown = False  # under make_jaxpr: functions that are a jit of their own in JAX are written so
        self.inlined = 0  # how many were traced in place


local = _Local()


def tracing():
    """Whether a trace is open on this thread."""
    return bool(local.frames)


# ---- operands ----
def lift(x):
    """The value of `x` in the current trace: tracers, captured arrays, literals for numbers."""
    cls = type(x)
    if cls is Tracer:
        return x.value
    if cls is ArrayImpl:
        return lib.sec_constant(x._handle)
    if cls is float:
        return lib.sec_scalar(x)
    if cls is bool:
        return lib.sec_scalar_bool(x)
    if cls is int:
        if not -(2**31) <= x < 2**31 and not _types.x64():
            raise OverflowError(f"Python integer {x} out of bounds for int32")
        return lib.sec_scalar_int(x)
    if cls is complex:
        return lib.sec_scalar_complex(x.real, x.imag)
    if isinstance(x, np.generic) and x.dtype.kind == "c":
        return lib.sec_literal_complex(_types.code_of(x.dtype), False, float(x.real), float(x.imag))
    if isinstance(x, np.generic) and x.dtype.kind in "biuf":
        if type(number := _types.narrowed(x)) is not cls:
            return lift(number)
        code = _types.code_of(x.dtype)
        integer = not _types.is_float(code)
        return lib.sec_literal_of(code, False, 0.0 if integer else float(x), _wrap64(int(x)) if integer else 0)
    if cls is Number:
        return literal(x.aval.code, x.number, x.aval.weak_type).value
    array = to_array(x)  # kept in a name: the handle alone would not keep it
    return lib.sec_constant(array._handle)


def _wrap64(i):
    return (i + 2**63) % 2**64 - 2**63


def tracer(x):
    """`x` as a Tracer of the current trace."""
    return x if type(x) is Tracer else Tracer(_checked(lift(x)))


def _checked(v):
    if not v:
        raise _errors.error()
    return v


def literal(code, x, weak=False):
    """A typed scalar."""
    if _types.KINDS[code] == "COMPLEX":
        x = complex(x)
        return Tracer(_checked(lib.sec_literal_complex(code, weak, x.real, x.imag)))
    integer = not _types.is_float(code)
    return Tracer(
        _checked(lib.sec_literal_of(code, weak, 0.0 if integer else float(x), _wrap64(int(x)) if integer else 0))
    )


def aval_of(x):
    """The Aval of anything that may be an operand."""
    cls = type(x)
    if cls is Tracer or cls is ArrayImpl or cls is Number:
        return x.aval
    if cls in (float, int, bool, complex):
        return _array.aval_of_number(x)
    if isinstance(x, (np.ndarray, np.generic)):
        if not isinstance(x, np.ndarray) and type(number := _types.narrowed(x)) is not cls:
            return _array.aval_of_number(number)
        return _types.aval(_types.code_of(x.dtype), x.shape)
    if isinstance(x, _types.ShapeDtypeStruct):
        return _types.aval(_types.code_of(x.dtype), x.shape, bool(x.weak_type))
    if isinstance(x, _types.Aval):
        return x
    return to_array(x).aval


def values(xs):
    """A C array of values."""
    return (ctypes.c_uint64 * len(xs))(*xs)


def lifted(xs):
    return values([lift(x) for x in xs])


def results(status, out):
    """The Tracers in `out`, or the error; the user's place is noted."""
    file, line = place()
    for v in out:
        lib.sec_at(v, file, line)
    if status:
        lib.sec_at(0, file, line)
        raise _errors.error()
    return [Tracer(v) for v in out]


# ---- jaxprs ----
class Jaxpr:
    """A counted sec_jaxpr *."""

    __slots__ = ("handle", "n_in", "n_out", "_outs", "_ins")

    def __init__(self, handle):
        self.handle = handle
        self.n_in, self.n_out = lib.sec_jaxpr_n_in(handle), lib.sec_jaxpr_n_out(handle)
        self._outs = self._ins = None

    def __del__(self, release=lib.sec_jaxpr_release):
        release(self.handle)

    @property
    def jaxpr(self):
        """The jaxpr itself: it holds what it captured."""
        return self

    @property
    def in_avals(self):
        if self._ins is None:
            self._ins = [_types.aval_at(lib.sec_jaxpr_in_aval(self.handle, i)) for i in range(self.n_in)]
        return self._ins

    @property
    def out_avals(self):
        if self._outs is None:
            self._outs = [_types.aval_at(lib.sec_jaxpr_out_aval(self.handle, i)) for i in range(self.n_out)]
        return self._outs

    @property
    def eqns(self):
        """How many equations there are at the top level, as a range."""
        return range(lib.sec_jaxpr_n_eqns(self.handle))

    def __str__(self):
        return take_text(_errors.check_pointer(lib.sec_jaxpr_print(self.handle)))

    __repr__ = __str__

    @property
    def consts(self):
        """The captured arrays in order; None for a captured value of an enclosing trace."""
        handles = [lib.sec_jaxpr_const_array(self.handle, i) for i in range(lib.sec_jaxpr_n_consts(self.handle))]
        return [ArrayImpl(lib.sec_array_retain(h)) if h else None for h in handles]


def closed(jaxpr):
    """(the jaxpr with what it captured as leading inputs, these arrays and values of the open trace)."""
    uses = [
        Tracer(_checked(lib.sec_jaxpr_const_value(jaxpr.handle, i))) if array is None else array
        for i, array in enumerate(jaxpr.consts)
    ]
    return transformed(lib.sec_jaxpr_close, jaxpr.handle), uses


def transformed(function, *arguments):
    """The Jaxpr that function(*arguments, &out) makes."""
    out = ctypes.c_void_p()
    _errors.check(function(*arguments, ctypes.byref(out)))
    return Jaxpr(out.value)


class Asked(BaseException):
    """The truth of a value is needed to go on: unwinds to the frame of its trace, which then evaluates it."""

    def __init__(self, frame, value):
        self.frame, self.value, self.jaxpr = frame, value, None


def trace_flat(function, avals, name, answers=None):
    """Traces function(tracers) -> (results, extra) for input types; returns (Jaxpr, extra)."""
    frames = local.frames
    handle = _errors.check_pointer(lib.sec_trace_begin(context, name.encode()))
    frame = Frame(handle, answers)
    frames.append(frame)
    try:
        inputs = [Tracer(_checked(lib.sec_trace_input_aval(handle, a.pointer)), a) for a in avals]
        frame.id = (inputs[0].value if inputs else lib.sec_scalar(0.0)) & TRACE_ID
        try:
            outs, extra = function(inputs)
            outs = lifted(outs)
        except Asked as asked:
            if asked.frame is not frame:
                raise
            asked.jaxpr = _end(handle, values([asked.value]))
            handle = None
            raise
        ended, handle = handle, None
        return _end(ended, outs), extra
    finally:
        frames.pop()
        if handle is not None:
            lib.sec_trace_abandon(handle)


def _end(handle, outs):
    return transformed(lib.sec_trace_end, handle, outs, len(outs))


def trace_known(function, avals, name, evaluate):
    """As trace_flat, for inputs whose values may be known: where the function asks for a truth (`if x > 0`),
    evaluate(jaxpr of what led there) gives it, and the function is traced again with the answer."""
    answers = []
    while True:
        try:
            return trace_flat(function, avals, name, answers)
        except Asked as asked:
            if asked.frame.answers is not answers:
                raise
            jaxpr = asked.jaxpr
        answers.append(bool(evaluate(jaxpr)))


def truth(value):
    """bool(tracer): the answer where one is known or can be found, else JAX's error."""
    for frame in local.frames:
        if frame.id == value.value & TRACE_ID:
            break
    else:
        value.aval  # a leaked value is reported as such
        frame = None
    if value.aval.size != 1:
        raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()")
    if frame is None or frame.answers is None:
        value._need(TRUTH, _errors.TracerBoolConversionError)
    i = frame.asked
    frame.asked += 1
    if i < len(frame.answers):
        return frame.answers[i]
    raise Asked(frame, value.value)


# ---- from a jaxpr to results ----
def call(jaxpr, operands):
    """The results of a jaxpr: its equations replayed in the open trace, or compiled (cached by structure) and run."""
    if local.frames:
        out = (ctypes.c_uint64 * jaxpr.n_out)()
        return results(lib.sec_jaxpr_apply(jaxpr.handle, lifted(operands), out), out)
    arrays = [typed(x, aval) for x, aval in zip(operands, jaxpr.in_avals)]
    out = (ctypes.c_void_p * jaxpr.n_out)()
    with _running.run:
        handles = (ctypes.c_void_p * len(arrays))(*[a._handle for a in arrays])
        _errors.check(lib.sec_run(context, jaxpr.handle, handles, out))
    return [ArrayImpl(handle) for handle in out]


def typed(x, aval):
    """`x` as an array of exactly the type `aval` (weak mark included)."""
    array = to_array(x)
    if array.aval is aval:
        return array
    return _array.from_numpy(np.asarray(array), aval.weak_type)
