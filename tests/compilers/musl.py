"""Rust's whole standard library for musl, in a root filesystem of Debian stable, laid out as rustup has it.

Debian packages Rust's standard library for its own architectures alone. rustup's has, besides the libraries, the folder
self-contained with musl itself, the files that begin and end a program, and libunwind.a. Here libunwind.a is gcc's, which unwinds
the same frames.
"""

import glob
import os
import shutil
import tempfile

import compilers
from harness import cache, namespace, roots

TRIPLE = "x86_64-unknown-linux-musl"
MUSL = "usr/lib/x86_64-linux-musl"
FROM_MUSL = ("crt1.o", "rcrt1.o", "Scrt1.o", "crti.o", "crtn.o", "libc.a")
FROM_GCC = ("crtbegin.o", "crtbeginS.o", "crtend.o", "crtendS.o")
GCC = "usr/lib/gcc/x86_64-linux-gnu/*"
CRATES, PANIC = "std,panic_unwind", "unwind"

# gcc's unwinder asks glibc where the table of a program's frames is. This is the one function of glibc that it needs.
FIND_OBJECT = r"""
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>

struct found { unsigned long long flags; void *start, *end; struct link_map *map; void *frames; unsigned long long reserved[7]; };
struct search { size_t address; struct found *found; };

static int look(struct dl_phdr_info *object, size_t size, void *argument)
{
    struct search *search = argument;
    int inside = 0;
    void *frames = NULL;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        size_t start = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && search->address >= start && search->address < start + part->p_memsz)
            inside = 1;
        if (part->p_type == PT_GNU_EH_FRAME)
            frames = (void *)start;
    }
    if (!inside || frames == NULL)
        return 0;
    search->found->frames = frames;
    return 1;
}

int _dl_find_object(void *address, struct found *found)
{
    struct search search = {(size_t)address, found};
    return dl_iterate_phdr(look, &search) ? 0 : -1;
}
"""


def lower(base):
    """The root filesystem for overlays: the one with the compilers, with the standard library for musl."""
    recipe = {"base": os.path.basename(base), "triple": TRIPLE, "flags": compilers.CORE_FLAGS, "crates": CRATES, "panic": PANIC,
              "files": [FROM_MUSL, FROM_GCC, FIND_OBJECT]}
    return "%s:%s" % (cache.entry("rust-std-musl", recipe, lambda path: make(base, path)), base)


def target_dir(lower):
    """The folder in which cargo keeps what it compiled with this library."""
    return cache.entry("musl-target", {"lower": lower}, lambda path: None)


def make(base, path):
    """Fetches the crates of Rust's own libraries with this machine's cargo, and compiles them in the root filesystem."""
    with tempfile.TemporaryDirectory() as scratch:
        namespace.call("musl:compile_std", {"base": base, "path": path, "crates": compilers.library_crates(base, scratch),
                                            "mountpoint": os.path.join(scratch, "view")})


def compile_std(base, path, crates, mountpoint):
    """Compiles the standard library and puts what rustup has beside it. In a namespace."""
    inside = compilers.view(base, mountpoint)
    made = compilers.build_libraries(inside, crates, TRIPLE, CRATES, PANIC)
    libraries = os.path.join(path, compilers.RUST_LIBRARIES, TRIPLE, "lib")
    self_contained = os.path.join(libraries, "self-contained")
    os.makedirs(self_contained)
    for rlib in made:
        shutil.copy(rlib, libraries)
    gcc, = glob.glob(os.path.join(inside, GCC))
    for folder, names in ((os.path.join(inside, MUSL), FROM_MUSL), (gcc, FROM_GCC)):
        for name in names:
            shutil.copy(os.path.join(folder, name), self_contained)
    with open(inside + "/find_object.c", "w") as source:
        source.write(FIND_OBJECT)
    roots.run(inside, ["sh", "-euc", "cp \"$0\"/libgcc_eh.a libunwind.a && musl-gcc -O2 -fPIC -Wall -Werror -c find_object.c && "
                       "ar q libunwind.a find_object.o", gcc[len(inside):]])
    shutil.copy(inside + "/libunwind.a", self_contained)
