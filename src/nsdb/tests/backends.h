#pragma once

#include "world.h"

/// Every backend the conformance suite runs on.
#define MIDONET_BACKENDS memoryKind(), embeddedKind()
