package dev.undergo.java;

/** An export, an import, or a constructor or a method of a resource. */
final class FunctionType {
    /** That of an entry of the library, or of a dispatch. */
    final int number;
    final long digest;
    /** Bytes of the struct of the arguments. */
    final int size;
    /** null for none. */
    final WitType result;
    WitType.Field[] params = {};
    String module = "";
    /** That of a method has the name of its resource in front: {@code document.title}. */
    String name = "";
    String signature = "";
    String docs = "";

    FunctionType(int number, long digest, int size, WitType result) {
        this.number = number;
        this.digest = digest;
        this.size = size;
        this.result = result;
    }

    /** The name without that of the resource. */
    String ownName() {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** What errors of a host function call it. */
    String fullName() {
        return module.isEmpty() ? name : module + "." + name;
    }
}
