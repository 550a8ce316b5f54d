#include "textflag.h"

// The dispatcher is called by the library, as a function of C with one parameter, a *dispatch. It
// has the runtime call the Go function whose address is in the first word of that:
// crosscall2(context, dispatch, 0, 0), which saves the registers that C's functions must keep.
TEXT dispatcher<>(SB), NOSPLIT|NOFRAME, $0
	MOVD R0, R1
	MOVD 0(R1), R0
	MOVD $0, R2
	MOVD $0, R3
	B    crosscall2(SB)

GLOBL ·dispatcherAddress(SB), NOPTR|RODATA, $8
DATA ·dispatcherAddress(SB)/8, $dispatcher<>(SB)
