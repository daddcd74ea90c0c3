"""Writes bindings/python/secant/_capi.py from the public headers.

usage: python gen_capi.py TREE [OUTPUT]

The headers keep to a dialect: `SEC_API <type> sec_name(<type> name, ...);`, one statement each, from known types.
An unknown type ends the run, so that a header cannot drift away from its binding.
"""

import os
import re
import sys

FOLDERS = ("core/include/secant", "transforms/include/secant", "backends/include/secant", "bindings/c/include/secant")

SCALARS = {
    "void": "None",
    "bool": "c_bool",
    "int": "c_int",
    "unsigned": "c_uint",
    "double": "c_double",
    "float": "c_float",
    "int32_t": "c_int32",
    "uint32_t": "c_uint32",
    "int64_t": "c_int64",
    "uint64_t": "c_uint64",
    "size_t": "c_size_t",
    "sec_value": "c_uint64",  # two uint32, {trace, ref}: one register
}


def strip(text):
    """`text` without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"\\\n", " ", text)
    return re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)


class Headers:
    """Everything that the binding needs, read from the headers of one tree."""

    def __init__(self, tree):
        self.tree = tree
        self.types, self.structs, self.prototypes = dict(SCALARS), {}, {}
        texts = [strip(self.read(path)) for path in self.headers()]
        for text in texts:
            self.read_types(text)
        for text in texts:
            self.read_structs(text)
        for text in texts:
            self.read_prototypes(text)

    def headers(self):
        for folder in FOLDERS:
            path = os.path.join(self.tree, folder)
            for name in sorted(os.listdir(path)):
                if name.endswith(".h"):
                    yield os.path.join(path, name)

    def read(self, path):
        with open(path) as file:
            return file.read()

    def rows(self, name, macro):
        """The argument lists of the rows of a .def table."""
        text = re.sub(r"/\*.*?\*/", " ", self.read(os.path.join(self.tree, "core/include/secant", name)), flags=re.S)
        return [
            [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^,]+', row)]
            for row in re.findall(macro + r"\((.*)\)", text)
        ]

    def read_types(self, text):
        for name in re.findall(r"typedef struct (\w+) \1;", text):
            self.types.setdefault(name, None)  # opaque: only behind a pointer
        for name in re.findall(r"typedef \w+\s*\(\s*\*\s*(\w+)\s*\)", text):
            self.types[name] = "c_void_p"
        for name in re.findall(r"typedef enum \w*\s*\{[^}]*\}\s*(\w+);", text):
            self.types[name] = "c_int"

    def read_structs(self, text):
        for name, body in re.findall(r"typedef struct (\w+) \{([^}]*)\} \1;", text):
            if name == "sec_value":
                continue
            fields = []
            body = re.sub(r"\w+ \**\(\*(\w+)\)\([^)]*\)", r"void *\1", body)  # pointers to functions
            for statement in filter(None, (s.strip() for s in body.split(";"))):
                base, names = re.match(r"((?:const )?\w+)\s*(.*)", statement, re.S).groups()
                for declarator in names.split(","):
                    field = re.search(r"\w+", declarator).group()
                    type_ = "c_void_p" if "*" in declarator else self.type(base, name)
                    if type_ == "None":
                        sys.exit(f"gen_capi: {name}: not in the dialect: {statement}")
                    fields.append((field, type_))
            self.structs[name] = fields
            self.types[name] = name

    def read_prototypes(self, text):
        for statement in re.findall(r"SEC_API\s+(.*?);", text, re.S):
            statement = re.sub(r"__attribute__\(\(.*\)\)", "", " ".join(statement.split())).strip()
            match = re.match(r"(.*?)\b(sec_\w+)\s*\((.*)\)$", statement)
            if not match:
                sys.exit(f"gen_capi: not in the dialect: {statement}")
            result, name, arguments = match.groups()
            if name in self.prototypes:
                sys.exit(f"gen_capi: {name} is declared twice")
            self.prototypes[name] = (self.type(result, name), self.arguments(arguments, name))

    def arguments(self, text, name):
        arguments = []
        for part in self.split(text):
            if part in ("void", "..."):
                continue
            if "(*" in part or "[" in part:  # a function or an array decays to a pointer
                arguments.append("c_void_p")
                continue
            arguments.append(self.type(re.sub(r"\w+$", "", part) if self.named(part) else part, name))
        return arguments

    @staticmethod
    def named(part):
        return len(re.findall(r"\w+", part.replace("const ", ""))) > 1

    @staticmethod
    def split(text):
        depth, start = 0, 0
        for i, c in enumerate(text + ","):
            depth += (c == "(") - (c == ")")
            if c == "," and not depth:
                yield text[start:i].strip()
                start = i + 1

    def type(self, text, where):
        base = " ".join(text.replace("const", " ").split())
        if base.count("*") == 1 and base.rstrip("* ") == "char":
            return "c_char_p" if "const" in text else "c_void_p"  # a char * that is not const is the caller's to free
        if "*" in base:
            pointee = base.replace("*", " ").strip()
            if pointee not in self.types and pointee != "char":
                sys.exit(f"gen_capi: {where}: unknown type {text.strip()}")
            return "c_void_p"
        if self.types.get(base) is None:
            sys.exit(f"gen_capi: {where}: unknown type {text.strip()}")
        return self.types[base]

    def write(self):
        """The text of _capi.py."""
        lines = [
            '"""The C interface of libsecant.  Generated from the headers by bindings/gen/gen_capi.py."""',
            "import ctypes",
        ]
        used = {t for result, arguments in self.prototypes.values() for t in [result, *arguments]}
        used |= {t for fields in self.structs.values() for _, t in fields}
        lines.append("from ctypes import " + ", ".join(sorted(t for t in used if t.startswith("c_"))))
        for name, fields in sorted(self.structs.items()):
            lines += ["", "", f"class {name}(ctypes.Structure):"]
            lines.append("    _fields_ = [" + ", ".join(f'("{field}", {type_})' for field, type_ in fields) + "]")
        lines += ["", "", "# (name, what went wrong, Python base class), in order of the statuses", "STATUSES = ("]
        lines += [f'    ("{name}", "{text}", {base}),' for name, text, base in self.rows("status.def", "SEC_STATUS")]
        lines += [")", "", "# (short name, bytes, kind, NumPy name), in order of the dtypes", "DTYPES = ("]
        for row in self.rows("dtype.def", "SEC_DTYPE"):
            lines.append(f'    ("{row[0]}", {row[3]}, "{row[4]}", "{row[7]}"),')
        lines += [")", "", "# name: (result, arguments)", "PROTOTYPES = {"]
        for name, (result, arguments) in sorted(self.prototypes.items()):
            lines.append(f'    "{name}": ({result}, [{", ".join(arguments)}]),')
        return "\n".join(lines + ["}", ""])


def main():
    tree = sys.argv[1]
    default = os.path.join(tree, "bindings/python/secant/_capi.py")
    with open(sys.argv[2] if len(sys.argv) > 2 else default, "w") as file:
        file.write(Headers(tree).write())


if __name__ == "__main__":
    main()
