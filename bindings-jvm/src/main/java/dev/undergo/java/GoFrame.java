package dev.undergo.java;

/**
 * A frame of a Go traceback.
 *
 * @param function the function with its package: {@code main.Greet}.
 * @param file the source file as the Go toolchain names it; empty where it is not known.
 * @param line the line in it, from 1; 0 where it is not known.
 * @param isRuntime whether it belongs to Go's runtime.
 */
public record GoFrame(String function, String file, int line, boolean isRuntime) {
    StackTraceElement element() {
        int dot = function.indexOf('.', function.lastIndexOf('/') + 1);
        String module = dot < 0 ? "" : function.substring(0, dot);
        return new StackTraceElement("go:" + module, function.substring(dot + 1), file.isEmpty() ? null : file, line > 0 ? line : -1);
    }
}
