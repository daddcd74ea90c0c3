"""Runs that Python code has begun, and arrays that end meanwhile.

Such a run reads arrays through handles that it holds no count on, without the GIL: while there is one, an array that is deleted or
donated keeps its memory until none is left.
"""

from threading import Lock

from secant._errors import check_pointer
from secant._lib import lib

flying = []  # a mark for every such run
ended = []  # handles of arrays that ended meanwhile; the fast path adds its own
_lock = Lock()
_deleted, _is_deleted, _release = lib.sec_array_create_deleted, lib.sec_array_is_deleted, lib.sec_array_release


class Run:
    """Context of one run; handles are read inside."""

    def __enter__(self):
        flying.append(None)

    def __exit__(self, *exception):
        flying.pop()
        if ended:
            with _lock:
                handles = ended[:]
                if not flying:
                    del ended[: len(handles)]
                    for handle in handles:
                        _release(handle)


run = Run()


def claim(arrays):
    """[(array, handle)] of the arrays that are not deleted yet; they count as deleted from here on."""
    with _lock:
        claimed = []
        for a in arrays:
            handle = a._handle
            if not _is_deleted(handle):
                a._handle = check_pointer(_deleted(handle))
                claimed.append((a, handle))
        return claimed


def end(handle):
    """Releases the handle of an array that was claimed, now or when nobody may read it any more."""
    if flying:
        ended.append(handle)
    else:
        _release(handle)


def give_back(array, handle):
    """Undoes a claim."""
    _release(array._handle)
    array._handle = handle
