package dev.undergo.java;

/**
 * A function of a plugin's interface.
 *
 * @param module the interface that an import belongs to; empty for an export.
 * @param name its name in WIT.
 * @param signature all of it in one line:
 *     {@code greet(p: person, shout: bool) -> result<string, string>}.
 * @param docs its Go doc comment; may be empty.
 */
public record Function(String module, String name, String signature, String docs) {}
