// Everything the files of the engine's host share: one process runs one machine, so the state is global.
#ifndef BROOME_HOST_H
#define BROOME_HOST_H

#include "xsAll.h"
#include "xsScript.h"
#include "os.h"
#include "version.h"

// ---- archive.c: the bytes in flash -------------------------------------------------------------------------------

// Version of the layout, last byte of the atom VERS.
#define ARCHIVE_FORMAT 1
#define ROOT_HASH_SIZE 16

// Pointers into the mapped, read-only archive. Every offset was checked by archiveOpen.
typedef struct {
  const uint8_t* bytes;
  size_t size;
  const uint8_t* rootHash;
  const uint8_t* symbols;  // zero-terminated names
  unsigned symbolCount;
  const uint8_t* preloads;  // zero-terminated names
  unsigned preloadCount;
  const uint8_t* modules;
  const uint8_t* modulesEnd;
  const uint8_t* resources;
  const uint8_t* resourcesEnd;
} Archive;

// Checks the structure of all atoms. Returns NULL, or what is wrong.
const char* archiveOpen(Archive* archive, const uint8_t* bytes, size_t size);
// Walks the code of every module: opcodes, lengths, ids below `idLimit`. Returns NULL, or what is wrong.
const char* archiveCheckCode(const Archive* archive, unsigned idLimit);
// The code of a module; `path` receives the name as it lies in the archive.
const uint8_t* archiveCode(const Archive* archive, const char* name, size_t* size, const char** path);
const uint8_t* archiveData(const Archive* archive, const char* name, size_t* size);
// The module that code at `address` belongs to, its offset there, and the module's table of lines.
bool archivePlace(const Archive* archive, const void* address, const char** path, size_t* offset,
                  const uint8_t** lines, const uint8_t** linesEnd);
// Length of one instruction. False if it is none or is cut.
bool codeLength(const uint8_t* p, size_t left, size_t* length);
// Steps over a module's own code to the next specifier that it imports from. False if there is none.
bool codeNextSpecifier(const uint8_t** p, const uint8_t* end, const char** specifier);
// Walks code in place, maps symbol ids through `ids` (if any), turns constants into in-place ones. NULL or an error.
const char* codeWalk(uint8_t* code, size_t size, const txID* ids, unsigned idLimit);

// ---- compile.c, link.c: JavaScript to archive --------------------------------------------------------------------

// A module to be compiled. `map`: for each line of the source, u32, the line that users know; may be empty.
typedef struct {
  const char* path;
  const char* text;
  size_t size;
  const uint8_t* map;
  size_t mapSize;
} Source;

// Compiles one module, with or without line instructions. Errors go to stderr as "path:line: message"; then NULL.
txScript* compileModule(txMachine* the, const Source* source, bool annotated);
int sourceLine(const Source* source, int line);
// `engine link`: request on stdin, archive on stdout. Exit code of the process.
int linkMain(void);

// ---- module.c, lines.c: names and places -------------------------------------------------------------------------

#define MODULE_NAME_LIMIT 256
// Name of the module that `specifier` means in the module `base`. False if there can be none.
bool moduleResolve(const char* base, const char* specifier, char result[MODULE_NAME_LIMIT]);

// Table of lines (malloc) of the code of `plain`, made with the help of the same code with line instructions.
uint8_t* linesMake(const txScript* plain, const txScript* annotated, const uint8_t* map, size_t mapSize, size_t* size);
// Module and line (0: unknown) of code in the archive.
bool linesFind(const void* address, const char** module, int* line);
// "module:line" of the running code.
bool linesWhere(txMachine* the, char* buffer, size_t size);
// The innermost 32 calls, each with its module:line and its slots.
void linesTrace(txMachine* the, char* buffer, size_t size);
// Takes the place of XS's fxCaptureErrorStack (a macro for xsDefaults.c, see compiler.ts).
void hostCaptureErrorStack(txMachine* the, txSlot* internal, txSlot* frame);

// ---- root.c: the machine with the built-ins and the preloaded modules --------------------------------------------

// Built-ins, `bus`, `resource` and the device's native code; nothing of the archive.
txMachine* rootCreate(txSize nameModulo, txSize symbolModulo);
// Identity of the root's symbol table and of XS's opcodes.
void rootHash(txMachine* root, uint8_t hash[ROOT_HASH_SIZE]);
// Interns the archive's symbols, evaluates its preload list, shares the machine, write-protects it.
void rootLoad(txMachine* root, const Archive* archive);
bool rootContains(const void* address);
void rootDelete(txMachine* root);
void* rootAllocateChunks(txMachine* the, txSize size);
txSlot* rootAllocateSlots(txSize count);

// ---- arena.c: the memory of the device's machine ------------------------------------------------------------------

// Bytes; what the board is told about its memory.
typedef struct {
  size_t used;   // pools as extended, and the stack
  size_t peak;   // the smallest arena this run could have had
  size_t limit;  // the arena
} ArenaStats;

void arenaCreate(size_t size);
void arenaDelete(void);
ArenaStats arenaStats(void);
void arenaRestartPeak(void);
// Words for a "memory full" message.
void arenaDescribe(char* buffer, size_t size);

// ---- stack.c: the stack of the device's machine --------------------------------------------------------------------

// Slots.
typedef struct {
  size_t peak;   // the smallest stack with which the machine would have got here since it was idle last
  size_t limit;  // the stack
} StackStats;

void stackPaint(txMachine* the);
// And begins anew.
StackStats stackMeasure(txMachine* the);

// ---- machine.c: modules, jobs, events ----------------------------------------------------------------------------

// `engine run`: never returns normally before the board closes the bus.
int runMain(int argc, char** argv);
// Frees everything, so that a memory checker has nothing to say, and ends the process.
void hostExit(int code) __attribute__((noreturn));

extern Archive gArchive;
extern txMachine* gRoot;
extern txMachine* gMachine;
// Name of the module that is being preloaded, or NULL.
extern const char* gPreloading;
// True from the moment the device's machine runs: only then the bus may be used.
extern bool gBusOpen;

// ---- bus.c: frames to and from the board -------------------------------------------------------------------------

#define BUS_FRAME_LIMIT 65536
void busCall(txMachine* the);      // host function `bus`
void busResource(txMachine* the);  // host function `resource`
// Tells the board that nothing is left to do, then waits for one event and calls onBusEvent.
void busIdle(txMachine* the);
// Sends an abort frame. Safe in a signal handler.
void busAbort(const char* status, const char* message);

// ---- firmware/native: code that boards call natively, too -----------------------------------------------------------

void xs_x25519(txMachine* the);          // host function `x25519`
void xs_ed25519_verify(txMachine* the);  // host function `ed25519Verify`

// ---- abort.c: the ends of a machine ------------------------------------------------------------------------------

// Tells board (or stderr) and ends the process.
void hostAbort(const char* status, const char* format, ...) __attribute__((noreturn, format(printf, 2, 3)));
// The pending exception in words.
void describeException(txMachine* the, char* buffer, size_t size);
// Ends the machine because of the pending exception.
void abortException(txMachine* the) __attribute__((noreturn));
void abortCatchFaults(void);
// True in `engine run`: ends are told to the board, else to stderr.
extern bool gRunning;
// Address near the bottom of the C stack, set by main.
extern char* gStackBase;

#endif
