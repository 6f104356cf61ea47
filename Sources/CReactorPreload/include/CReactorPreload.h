// The way into an unmodified program: a preloaded library that defines __libc_start_main, with which a program's first code
// hands its `main` to libc, and puts another one in its place.
//
//     _start (the program's) --main--> our __libc_start_main --crp_on_start--> libc's --> crp_main(main, …), in Swift
#pragma once

/// A program's `main`, as libc calls it.
typedef int crp_main_function(int argc, char **argv, char **environment);

/// Calls `program` as it would have been called, and returns its result. Defined in Swift, by ReactorPreload.
int crp_main(crp_main_function *program, int argc, char **argv, char **environment);
