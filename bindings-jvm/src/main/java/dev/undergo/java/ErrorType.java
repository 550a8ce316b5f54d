package dev.undergo.java;

/**
 * An error with fields that an interface declares.
 *
 * @param digest stands for the name and the types of the fields.
 * @param fields the record of them.
 */
record ErrorType(long digest, WitType fields) {
    static final ErrorType[] NONE = {};

    /** The one that an error of a host's is; null where that has none of these. */
    static ErrorType of(ErrorType[] errors, RawFields given) {
        for (ErrorType error : errors) {
            // One of another plugin's may have the same name.
            if (error.fields.name.equals(given.name) && (given.digest == 0 || given.digest == error.digest)) {
                return error;
            }
        }
        return null;
    }
}
