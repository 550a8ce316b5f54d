package dev.undergo.java;

/**
 * An object for a plugin, for programs that don't know its methods when they are compiled. Any
 * object with public methods of the names and as many parameters serves as well.
 */
@FunctionalInterface
public interface HostObject {
    /**
     * Runs a method, otherwise as {@link HostFunction#call}.
     *
     * @param method its name in WIT.
     */
    Object call(String method, Arguments arguments) throws Exception;
}
