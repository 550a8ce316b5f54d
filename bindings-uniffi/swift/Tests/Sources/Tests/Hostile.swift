import Foundation
import Undergo

// The hostile guest; see conformance/README.md.

private let enough = 60.0

private final class Held: @unchecked Sendable {
    weak var instance: Instance?
}

private func start(_ plugin: Plugin, timeout: Double = enough, env: [String: String] = [:]) throws -> Instance {
    let held = Held()
    let functions: [String: HostClosure] = [
        "do": { args in
            guard let instance = held.instance else { return "nothing done" }
            return try instance.callValues("do", args, timeout: nil, cancel: nil)
        },
        "echo": { args in args[0] },
        "fail": { _ in throw Refused(description: "refused by the host") },
    ]
    let instance = try plugin.instantiate(
        functions: ["host": functions], sandbox: .of(env: env, stdout: .discard, stderr: .discard), limits: Limits(memory: 64 << 20, timeout: timeout))
    held.instance = instance
    return instance
}

private func checkWork(_ instance: Instance) throws { try expect(try instance.call("work", 100), is: 338_350) }

private func check(_ row: Json, _ error: any Error) throws {
    let kind = row["kind"]?.string ?? ""
    guard case CallError.Failed(let details, _) = error else {
        return try expect(kind == "host-error", "\(error)")
    }
    try expect(details.kindName == kind, "\(details.kindName): \(details.text), expected \(kind)")
    try expect(details.exitCode, is: (row["exit_code"]?.int).map { Int32($0) })
    for part in row["contains"]?.items ?? [] { try expect(details.message.has(part.string ?? ""), details.message) }
}

func runHostile() throws {
    let plugin = try Plugin.load(required("UNDERGO_HOSTILE_WASM"))
    let bystander = try start(plugin)
    for row in try Json.read(required("UNDERGO_MISDEEDS"))["cases"]?.items ?? [] {
        let (misdeed, n) = (row["misdeed"]?.string ?? "", row["n"]?.int ?? 0)
        let kind = row["kind"]?.string ?? ""
        let timeout = kind == "timeout" ? 0.3 : enough
        test("\(misdeed) \(n) in a call") {
            let instance = try start(plugin, timeout: timeout)
            if kind == "done" {
                try expect(try instance.call("do", .text(value: misdeed), .int(value: n)), is: "done")
                try checkWork(instance)
            } else {
                do {
                    _ = try instance.call("do", .text(value: misdeed), .int(value: n))
                    throw Failure(description: "it returned")
                } catch let failure as Failure {
                    throw failure
                } catch {
                    try check(row, error)
                }
                try expect(!instance.isAlive(), "it lives on")
                try expectError("dead-instance", "its end was \(kind)") { try instance.call("work", 100) }
            }
            try checkWork(bystander)
            try checkWork(try start(plugin))
        }
        test("\(misdeed) \(n) in init") {
            let env = ["MISDEED": misdeed, "MISDEED_N": String(n)]
            if kind == "done" { return try checkWork(try start(plugin, env: env)) }
            do {
                _ = try start(plugin, timeout: timeout, env: env)
                throw Failure(description: "it was made")
            } catch let failure as Failure {
                throw failure
            } catch {
                try check(row, error)
            }
            try checkWork(bystander)
        }
    }
}
