// What numbers are packed and multiplied as: by what the compiler may use of the processor.
#pragma once

#ifdef __AMX_BF16__
#include "halves.h"
#define CONVATLAS_KERNEL convatlas_split
#else
#include "floats.h"
#define CONVATLAS_KERNEL convatlas_avx512
#endif
