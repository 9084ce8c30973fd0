// Where versions of XS differ: 13.3 comes from npm, 17 from a Moddable SDK (8.2 and later) named by $MODDABLE.
#ifndef BROOME_VERSION_H
#define BROOME_VERSION_H

#if XS_MAJOR_VERSION >= 17
typedef txU8 MeterIndex;
// The meter counts in 65536ths of an instruction.
#define METER_SHIFT 16
// Slots from a frame to its function.
#define FRAME_FUNCTION 2
#define STACK_OVERFLOW_CASES \
  case XS_JAVASCRIPT_STACK_OVERFLOW_EXIT: case XS_NATIVE_STACK_OVERFLOW_EXIT
// Imports the module whose name is on the stack; leaves a promise in its place.
#define hostImport(THE, REALM) (mxPushUndefined(), fxRunImport(THE, REALM, C_NULL))
#else
typedef txU4 MeterIndex;
#define METER_SHIFT 0
#define FRAME_FUNCTION 3
#define STACK_OVERFLOW_CASES case XS_STACK_OVERFLOW_EXIT
#define hostImport(THE, REALM) fxRunImport(THE, REALM, XS_NO_ID)
#endif

#endif
