// JavaScript to bytecode: drives XS's parser and coder for one module.
#include "host.h"

// The parser's token buffer also bounds the length of a string literal.
#define PARSER_BUFFER_SIZE (256 * 1024)
#define PARSER_SYMBOL_MODULO 1993
#define REPORTED_ERRORS 10

static const char* gPath;
static int gErrors;

static void reportError(void* console, txString path, txInteger line, txString format, va_list arguments) {
  (void)console;
  (void)path;
  if (gErrors++ >= REPORTED_ERRORS) return;
  fprintf(stderr, "%s:%d: ", gPath, (int)line);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

static void reportWarning(void* console, txString path, txInteger line, txString format, va_list arguments) {
  (void)console;
  (void)path;
  (void)line;
  (void)format;
  (void)arguments;
}

typedef struct {
  const uint8_t* p;
  const uint8_t* end;
} Source;

static int nextByte(void* stream) {
  Source* source = stream;
  return (source->p < source->end) ? *source->p++ : C_EOF;
}

txScript* compileModule(txMachine* the, const char* path, const char* text, size_t size) {
  txParser parser;
  txParserJump jump;
  Source source = {(const uint8_t*)text, (const uint8_t*)text + size};
  txScript* volatile script = NULL;
  gPath = path;
  gErrors = 0;
  memset(&jump, 0, sizeof jump);
  // Without a console the parser goes on after an error and finds more of them.
  (void)the;
  fxInitializeParser(&parser, NULL, PARSER_BUFFER_SIZE, PARSER_SYMBOL_MODULO);
  parser.reportError = reportError;
  parser.reportWarning = reportWarning;
  parser.firstJump = &jump;
  if (c_setjmp(jump.jmp_buf) == 0) {
    fxParserTree(&parser, &source, nextByte, 0, NULL);
    if (!gErrors) fxParserHoist(&parser);
    if (!gErrors) fxParserBind(&parser);
    if (!gErrors) script = fxParserCode(&parser);
  }
  fxTerminateParser(&parser);
  if (!script && !gErrors) fprintf(stderr, "%s:1: cannot be compiled\n", path);
  if (script && gErrors) {
    fxDeleteScript(script);
    script = NULL;
  }
  return script;
}
