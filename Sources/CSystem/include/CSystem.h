// Calls of the operating system that Swift cannot see: variadic ones, macros, and those that glibc's module map omits.
#ifndef CAIRN_CSYSTEM_H
#define CAIRN_CSYSTEM_H
#endif
