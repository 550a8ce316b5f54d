// Undergo: Go plugins as typed, sandboxed functions of C++17. Header-only, over the library of
// undergo.h.
//
// Each function that can fail is there twice. `call` and its like throw an `undergo::Error` of the
// class that belongs to what went wrong; `try_call` and its like give an `undergo::Result`, which
// has the value or the error, and never throw one. A program that is compiled without exceptions
// has the latter alone.
//
// Handles (Plugin, Instance, Pool, Server) own what they stand for, and can be moved, not copied; a
// handle that was moved from may only be destroyed or assigned to. They may be used from any thread
// unless it is said otherwise. Plain values (Value, Limits, Sandbox, Imports, CancelToken, Error)
// can be copied, and are not for two threads at once while they are changed.

#ifndef UNDERGO_HPP
#define UNDERGO_HPP

#include "undergo/cancel.hpp"
#include "undergo/completed.hpp"
#include "undergo/config.hpp"
#include "undergo/error.hpp"
#include "undergo/imports.hpp"
#include "undergo/instance.hpp"
#include "undergo/living.hpp"
#include "undergo/plugin.hpp"
#include "undergo/pool.hpp"
#include "undergo/resource.hpp"
#include "undergo/result.hpp"
#include "undergo/sandbox.hpp"
#include "undergo/server.hpp"
#include "undergo/span.hpp"
#include "undergo/typed.hpp"
#include "undergo/value.hpp"
#include "undergo/view.hpp"

#endif  // UNDERGO_HPP
