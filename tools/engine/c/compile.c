// JavaScript to bytecode: drives XS's parser and coder for one module.
#include "host.h"

// The parser's token buffer also bounds the length of a string literal.
#define PARSER_BUFFER_SIZE (256 * 1024)
#define PARSER_SYMBOL_MODULO 1993
#define REPORTED_ERRORS 10

static const Source* gSource;
static int gErrors;

int sourceLine(const Source* source, int line) {
  uint32_t mapped;
  if ((line < 1) || ((size_t)line * 4 > source->mapSize)) return line;
  memcpy(&mapped, source->map + 4 * (size_t)(line - 1), sizeof mapped);
  return (int)mapped;
}

static void reportError(void* console, txString path, txInteger line, txString format, va_list arguments) {
  (void)console;
  (void)path;
  if (gErrors++ >= REPORTED_ERRORS) return;
  fprintf(stderr, "%s:%d: ", gSource->path, sourceLine(gSource, (int)line));
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
  const char* p;
  const char* end;
} Text;

static int nextByte(void* stream) {
  Text* text = stream;
  return (text->p < text->end) ? (uint8_t)*text->p++ : C_EOF;
}

txScript* compileModule(txMachine* the, const Source* source, bool annotated) {
  txParser parser;
  txParserJump jump;
  Text text = {source->text, source->text + source->size};
  txScript* volatile script = NULL;
  gSource = source;
  gErrors = 0;
  memset(&jump, 0, sizeof jump);
  // The machine numbers the caches of tagged templates. With it the parser stops at the first error.
  fxInitializeParser(&parser, the, PARSER_BUFFER_SIZE, PARSER_SYMBOL_MODULO);
  parser.reportError = reportError;
  parser.reportWarning = reportWarning;
  parser.firstJump = &jump;
  if (c_setjmp(jump.jmp_buf) == 0) {
    if (annotated) parser.path = fxNewParserSymbol(&parser, (txString)source->path);
    fxParserTree(&parser, &text, nextByte, annotated ? mxDebugFlag : 0, NULL);
    if (!gErrors) fxParserHoist(&parser);
    if (!gErrors) fxParserBind(&parser);
    if (!gErrors) script = fxParserCode(&parser);
  }
  fxTerminateParser(&parser);
  if (!script && !gErrors) fprintf(stderr, "%s:1: cannot be compiled\n", source->path);
  if (script && gErrors) {
    fxDeleteScript(script);
    script = NULL;
  }
  return script;
}
