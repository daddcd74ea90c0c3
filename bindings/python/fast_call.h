/* A cached call: the raw signature of the arguments, the entry that has it, the run and its
 * results. */
#ifndef SECANT_PYTHON_FAST_CALL_H
#define SECANT_PYTHON_FAST_CALL_H

#include "fast.h"

/* ---- callables ---- */
typedef struct sec_py_callable {
  sec_pyo (*vectorcall)(sec_pyo, sec_pyo const *, size_t, sec_pyo);
  sec_pyo dict, weakrefs;
  sec_pyo cache;  /* of `cache_type`; NULL before setup */
  sec_pyo traced; /* an operation's function for open traces */
  int  leading; /* an operation's operands; -1: a jitted function, whose numbers all are operands */
  bool slow;    /* negative static places: always by Python */
  uint64_t static_nums;  /* a bit a place */
  sec_pyo  static_names; /* tuple */
} sec_py_callable;

/* ---- the raw signature ---- */
/* Words: an operand is the pointer of its type (a Python number that of its weak type), a container
 * its tag and length, a dict's keys and the names of keywords are pointers, a static is its hash
 * and type.  Keys with equal text at other addresses make another entry of one executable. */
typedef struct sec_py_leaf {
  sec_array *array;
  sec_pyo    object;
} sec_py_leaf; /* array NULL: made from the number on a hit */

/* A NumPy array that is an operand for the time of a call. */
typedef struct sec_py_borrowed {
  sec_py_buffer           view;
  sec_array               array;
  struct sec_py_borrowed *next;
} sec_py_borrowed;

enum { WALK_WORDS = 96, WALK_LEAVES = 64, WALK_STATICS = 16, WALK_BORROWED = 4, WALK_DEPTH = 32 };
typedef struct sec_py_walk {
  uint64_t    *words, hash;
  sec_py_leaf *leaves;
  int          n, room, n_leaves, leaf_room, n_statics, depth;
  bool         unusual; /* something that only Python knows */
  bool         held;    /* the arrays have a count of their own */
  bool         copies;  /* a run that donates takes no memory, since others may be reading it */
  sec_pyo      statics[WALK_STATICS];
  sec_pyo      refs; /* a list: keys, names, statics and types are kept there; NULL: not needed */
  uint64_t     words_here[WALK_WORDS];
  sec_py_leaf  leaves_here[WALK_LEAVES];
  int              n_borrowed;
  sec_py_borrowed *borrowed; /* those beyond the first */
  sec_py_borrowed  borrowed_here[WALK_BORROWED];
} sec_py_walk;

/* Fills `w`; false with an exception set, or with `unusual`.  Always ends with sec_py_walk_end. */
bool sec_py_walk_all(sec_py_walk *w, const sec_py_callable *c, sec_pyo const *args, ssize_t n,
                     sec_pyo names, sec_pyo refs);
void sec_py_walk_end(sec_py_walk *w);
/* fast_buffer.c: a NumPy array's memory as an array until the walk ends; NULL: only Python can read it. */
sec_array *sec_py_borrow(sec_py_walk *w, sec_pyo o);
void       sec_py_return_borrowed(sec_py_walk *w);
/* Gives the arrays a count, for code that may run other Python code. */
void sec_py_walk_hold(sec_py_walk *w);

/* ---- entries ---- */
/* keys: of a dict, held by the treedef; empty: a dict with these keys, copied and filled (no resizing). */
typedef struct sec_py_node {
  enum { NODE_LEAF, NODE_NONE, NODE_TUPLE, NODE_LIST, NODE_DICT } kind;
  int      n;
  sec_pyo *keys, empty;
} sec_py_node;

typedef struct sec_py_entry {
  int             count; /* under the GIL */
  int             n, n_statics, n_consts, n_in, n_out, n_nodes;
  uint64_t        hash, *words;
  sec_pyo        *statics;
  sec_executable *executable;
  sec_array     **consts;
  int            *leaf;  /* of every input: its place among the raw leaves */
  bool           *donate; /* of every operand: whether it is given away; NULL: none is */
  sec_pyo        *avals; /* of the results */
  sec_py_node    *nodes; /* the structure of the result, parents first; NULL: unflatten builds it */
  sec_pyo         unflatten; /* Python: list of arrays -> result */
  double          seconds;   /* running mean of a run */
  unsigned        calls;
  sec_pyo         refs; /* a tuple that keeps every object named above */
} sec_py_entry;

typedef struct sec_py_cache {
  sec_py_entry **slots; /* open addressing */
  int            n, room;
} sec_py_cache;

/* The entry of a signature with one more count; NULL: none, or an exception from a static's ==. */
sec_py_entry *sec_py_cache_find(sec_py_cache *c, const sec_py_walk *w);
/* Adds what Python says about a signature (the tuple that _fast.registration makes); false with an
 * exception. */
bool sec_py_cache_add(sec_py_cache *c, const sec_py_walk *w, sec_pyo registration);
void sec_py_cache_clear(sec_py_cache *c);
void sec_py_entry_release(sec_py_entry *e);

/* The result of a run; NULL with an exception, or with `unusual` set, where Python shall say what is wrong. */
sec_pyo sec_py_entry_run(sec_py_entry *e, sec_py_walk *w);

#endif
