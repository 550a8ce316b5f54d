package dev.undergo.java;

/** The module is not WebAssembly, is damaged, or was built in a way that can't be called. */
public final class InvalidPluginException extends UndergoException {
    private static final long serialVersionUID = 1;

    InvalidPluginException(Details details) {
        super(ErrorKind.INVALID_PLUGIN, details);
    }
}
