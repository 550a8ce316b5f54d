import Foundation
import Undergo

/// A test that fails.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Fails unless that holds.
func expect(_ condition: Bool, _ text: @autoclosure () -> String = "it does not hold", line: UInt = #line) throws {
    if !condition { throw Failure(description: "line \(line): \(text())") }
}

/// Fails unless both are equal.
func expect<T: Equatable>(_ found: T, is wanted: T, line: UInt = #line) throws {
    if found != wanted { throw Failure(description: "line \(line): \(shortened(found)), expected \(shortened(wanted))") }
}

/// Fails unless the code fails with an error of that kind, which it gives.
@discardableResult
func expectError(_ kind: String, _ text: String = "", line: UInt = #line, _ code: () throws -> Any?) throws -> ErrorDetails {
    let found: Any?
    do {
        found = try code()
    } catch CallError.Failed(let details, _) {
        if details.kindName == kind && details.text.has(text) { return details }
        throw Failure(description: "line \(line): \(details.kindName): \(details.text), expected \(kind) with \(text)")
    }
    throw Failure(description: "line \(line): it returned \(shortened(found as Any))")
}

extension String {
    /// Whether it contains a text, as every one contains the empty text.
    func has(_ text: String) -> Bool { text.isEmpty || contains(text) }
}

/// The beginning of what may be long.
func shortened(_ value: Any) -> String {
    let text = String(describing: value)
    return text.count > 300 ? text.prefix(300) + "…" : text
}

/// Runs a test, and prints its outcome.
func test(_ name: String, skipped reason: String? = nil, _ body: () throws -> Void) {
    var (outcome, text) = ("passed", "")
    if let reason {
        (outcome, text) = ("skipped", reason)
    } else {
        do { try body() } catch { (outcome, text) = ("failed", shortened(error)) }
    }
    let line = try? JSONSerialization.data(withJSONObject: ["name": name, "outcome": outcome, "text": text])
    print(String(decoding: line ?? Data(), as: UTF8.self))
    fflush(stdout)
}

/// Awaits code, and blocks this thread meanwhile.
func awaited<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
    let done = DispatchSemaphore(value: 0)
    let outcome = Shared<Result<T, any Error>?>(nil)
    Task {
        let result: Result<T, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        outcome.set(result)
        done.signal()
    }
    done.wait()
    return try outcome.get()!.get()
}

/// What several threads have.
final class Shared<T>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: T

    init(_ value: T) { self.value = value }

    func get() -> T { lock.withLock { value } }

    func set(_ new: T) { lock.withLock { value = new } }

    @discardableResult
    func change<R>(_ change: (inout T) throws -> R) rethrows -> R { try lock.withLock { try change(&value) } }
}

/// The variable of the environment, which has to be there.
func required(_ name: String) -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else { fatalError("\(name) is not set") }
    return value
}

/// A sandbox in which nothing of the guest's output is seen.
let silent = Sandbox.of(stdout: .discard, stderr: .discard)
