// Between the files of this target.
#pragma once

#include "CFibers.h"

/// Forgets the locks of a fiber that ends with some. Whoever gives them back now, it is not that fiber.
void cf_fiber_forget_holds(cf_fiber *fiber);
