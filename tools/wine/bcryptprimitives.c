// A library of Windows that Wine has from version 9 on. Rust's standard library takes random
// numbers from its one function.

#include <windows.h>
// Needs the types of the other.
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
  while (size > 0) {
    const ULONG part = size < 0x10000 ? (ULONG)size : 0x10000;
    if (!RtlGenRandom(data, part)) {
      return FALSE;
    }
    data += part;
    size -= part;
  }
  return TRUE;
}
