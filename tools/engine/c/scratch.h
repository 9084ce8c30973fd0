// Included first by xsdtoa.c and xsre.c (see compiler.ts), which use the free part of the stack as scratch memory, from
// its bottom up: here they find none and use malloc, as they do when it is full, so that the stack can be measured.
#include "xsAll.h"
#define stackBottom stack
