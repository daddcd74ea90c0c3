"""Writes core/include/secant/places.h: a macro over every public operation that notes the user's file and line, and lets
plain numbers stand for values.  Reads the prototypes of ops.h; an argument type that it does not know ends with an error."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPS = ROOT / "core/include/secant/ops.h"
OUT = ROOT / "core/include/secant/places.h"

HEAD = """/* Generated from ops.h by bindings/gen/gen_places.py.  In C, an operation notes the place where it was written, after it
 * ran (so that nested calls name their own lines), and takes plain numbers beside values: sec_mul(x, 2.0).
 * Define SEC_NO_LOCATIONS before including Secant to have the functions alone. */
#ifndef SECANT_PLACES_H
#define SECANT_PLACES_H

#include <secant/trace.h>

#if !defined(SEC_NO_LOCATIONS) && !defined(__cplusplus)

static inline sec_value sec_value_itself(sec_value x) { return x; }
static inline sec_value sec_value_of_int(long long x) { return sec_scalar_int(x); }
#define SEC_V(x)                                                                                                  \\
  _Generic((x), sec_value: sec_value_itself, float: sec_scalar, double: sec_scalar, _Bool: sec_scalar_bool,       \\
           int: sec_value_of_int, long: sec_value_of_int, long long: sec_value_of_int)(x)
#define SEC_HERE(value) sec_at((value), __FILE__, __LINE__)

"""


def prototypes(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    for name, arguments in re.findall(r"SEC_API\s+sec_value\s+(sec_\w+)\(([^)]*)\);", text):
        yield name, [a.strip() for a in arguments.split(",")] if arguments.strip() != "void" else []


def macro(name, arguments):
    names = [re.search(r"(\w+)$", a).group(1) for a in arguments]
    passed = [f"SEC_V({n})" if a.split()[0] == "sec_value" and "*" not in a else f"({n})" for a, n in zip(arguments, names)]
    if not names:
        sys.exit(f"gen_places: {name} has no arguments")
    return f"#define {name}({', '.join(names)}) SEC_HERE(({name})({', '.join(passed)}))\n"


def main():
    out = HEAD
    for name, arguments in prototypes(OPS.read_text()):
        if any(re.search(r"int rank$|[*\[]", a) for a in arguments):
            # SEC_SHAPE(...) expands to two arguments, and a compound literal has commas of its own
            out += f"#define {name}(...) SEC_HERE(({name})(__VA_ARGS__))\n"
        else:
            out += macro(name, arguments)
    OUT.write_text(out + "\n#endif\n#endif\n")


if __name__ == "__main__":
    main()
