import UndergoCore

/// An error that a plugin declares, with its fields: `undergo bindgen` writes a type for each. A
/// closure throws it, alone or in a `WrappedError`, and the Go code gets its own error of that
/// name.
public protocol PluginError: Error, PluginValue, CustomStringConvertible {
    /// Its name in WIT: `not-found`.
    static var errorName: String { get }
}

extension PluginError {
    /// What it says, unless the program gives it another text: its name.
    public var description: String { String(Self.errorName.map { $0 == "-" ? " " : $0 }) }
}

/// An error that says something of another one, as `fmt.Errorf("…: %w", err)` makes it in Go.
public struct WrappedError: Error, CustomStringConvertible {
    /// What it says.
    public let description: String
    /// The error that it wraps.
    public let cause: any Error

    public init(_ description: String, _ cause: any Error) {
        self.description = description
        self.cause = cause
    }
}

extension CallError {
    /// The errors of which it consists, outermost first, each of which wraps the next. Empty for
    /// the errors of a plugin that declares none with fields.
    public var chain: [ErrorLink] {
        switch self {
        case .Failed(let details, _): return details.chain
        }
    }

    /// The first error of that type in the chain.
    ///
    ///     catch let error as CallError {
    ///         guard let notFound = error.find(NotFound.self) else { throw error }
    public func find<E: PluginError>(_ type: E.Type) -> E? {
        for link in chain where link.name == E.errorName {
            if let fields = link.fields, let found = try? E(pluginValue: fields) { return found }
        }
        return nil
    }
}

/// What errors wrap still deeper is left out.
private let longest = 64

/// An error and those that it wraps, for the library.
func links(_ outermost: any Error) -> [ErrorLink] {
    var found: [ErrorLink] = []
    var next: (any Error)? = outermost
    while let error = next, found.count < longest {
        if let own = error as? any PluginError {
            let name = type(of: own).errorName
            found.append(ErrorLink(text: String(describing: error), name: name, fields: own.pluginValue))
        } else {
            found.append(ErrorLink(text: String(describing: error), name: nil, fields: nil))
        }
        next = (error as? WrappedError)?.cause
    }
    return found
}
