// Runs a group of tests, and prints what becomes of each as a line of JSON.
//
// Usage: Tests GROUP

import Foundation
import Undergo

let group = CommandLine.arguments.dropFirst().first ?? ""
switch group {
case "module-blocking", "module-awaited", "component-blocking", "component-awaited": try runConformance(group)
case "hostile": try runHostile()
case "handles": runHandles()
default: fatalError("there is no group \(group)")
}
