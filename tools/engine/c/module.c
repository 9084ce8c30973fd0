// Modules by name: in XS a module's name is its path without ".js", relative specifiers start from it.
#include "host.h"

bool moduleResolve(const char* base, const char* specifier, char result[MODULE_NAME_LIMIT]) {
  size_t length = 0;
  result[0] = 0;
  if (specifier[0] == '.') {
    if (!base || (strlen(base) >= MODULE_NAME_LIMIT)) return false;
    strcpy(result, base);
    char* slash = strrchr(result, '/');
    length = slash ? (size_t)(slash - result) : 0;
  }
  while (*specifier) {
    const char* slash = strchr(specifier, '/');
    size_t part = slash ? (size_t)(slash - specifier) : strlen(specifier);
    if ((part == 2) && !memcmp(specifier, "..", 2)) {
      if (!length) return false;
      while (length && (result[--length] != '/'));
    } else if ((part != 1) || (*specifier != '.')) {
      if (length + 1 + part >= MODULE_NAME_LIMIT) return false;
      if (length) result[length++] = '/';
      memcpy(result + length, specifier, part);
      length += part;
    }
    specifier += part + (slash ? 1 : 0);
  }
  if ((length > 3) && !memcmp(result + length - 3, ".js", 3)) length -= 3;
  result[length] = 0;
  return length > 0;
}

// XS asks: which module does `slot` name, seen from the module `moduleID`?
txID fxFindModule(txMachine* the, txSlot* realm, txID moduleID, txSlot* slot) {
  (void)realm;
  char name[MODULE_NAME_LIMIT], specifier[MODULE_NAME_LIMIT];
  const char* path;
  fxToStringBuffer(the, slot, specifier, sizeof specifier);
  if (!moduleResolve((moduleID == XS_NO_ID) ? NULL : fxGetKeyName(the, moduleID), specifier, name)) return XS_NO_ID;
  size_t size;
  if (!archiveCode(&gArchive, name, &size, &path)) return XS_NO_ID;
  return fxNewNameX(the, (txString)path);
}

// XS asks for the code of a module that fxFindModule found: it runs where it lies.
void fxLoadModule(txMachine* the, txSlot* module, txID moduleID) {
  size_t size;
  const uint8_t* code = archiveCode(&gArchive, fxGetKeyName(the, moduleID), &size, NULL);
  if (!code) return;
  txScript script;
  memset(&script, 0, sizeof script);
  script.codeBuffer = (txS1*)code;
  script.codeSize = (txSize)size;
  script.path = fxGetKeyName(the, moduleID);
  script.version[0] = XS_MAJOR_VERSION;
  script.version[1] = XS_MINOR_VERSION;
  script.version[2] = XS_PATCH_VERSION;
  fxResolveModule(the, module, moduleID, &script, NULL, NULL);
}
