package dev.undergo.java;

/** An export or an import. */
final class FunctionType {
    final int number;
    final long digest;
    /** Bytes of the struct of the arguments. */
    final int size;
    /** null for none. */
    final WitType result;
    WitType.Field[] params = {};
    /** Whether a parameter, or the result, is or has a handle. */
    boolean holdsHandles;
    String module = "";
    String name = "";
    String signature = "";
    String docs = "";

    FunctionType(int number, long digest, int size, WitType result) {
        this.number = number;
        this.digest = digest;
        this.size = size;
        this.result = result;
    }
}
