{%- if let Some(package) = package -%}
package {{ package }};

{% endif -%}
{%- for class in imported -%}
import {{ class }};
{% endfor %}
{% for line in docs -%}
{{ line }}
{% endfor -%}
@SuppressWarnings("unused")
public final class {{ class }} {
    private static final RawSignature[] EXPORTS = {
        {%- for signature in signatures %}
        {{ signature }},
        {%- endfor %}
    };
    {%- if !errors.is_empty() %}

    private static final RawError[] ERRORS = {
        {%- for error in errors %}
        new RawError({{ error.digest }}, {{ class }}::get{{ error.class }}),
        {%- endfor %}
    };
    {%- endif %}

    private final RawClient client$;

    /**
     * The functions of an instance or a pool.
     *
     * @throws dev.undergo.java.SignatureMismatchException when its plugin has others.
     */
    public {{ class }}(Exports exports) {
        client$ = new RawClient(exports, EXPORTS{% if !errors.is_empty() %}, ERRORS{% endif %});
    }

    /** What these are the functions of. */
    public Exports exports() {
        return client$.exports();
    }
    {%- for export in exports %}
{% for line in export.docs %}
    {{ line }}
    {%- endfor %}
    public {{ export.returns }} {{ export.name }}({{ export.params }}) {
        {%- include "java/call.java" %}
    }
    {%- endfor %}
    {%- if !imports.is_empty() %}

    /** Gives the plugin the functions that it needs, from objects that have them. */
    public static Options imports(Options options{% for import in imports %}, {{ import.class }} {{ import.param }}{% endfor %}) {
        {%- for import in imports %}
        {%- for function in import.functions %}
        RawFunction.give(options, {{ function.signature }}, (args, result, room) -> {
            {%- for line in function.body %}
            {{ line }}
            {%- endfor %}
        });
        {%- endfor %}
        {%- endfor %}
        return options;
    }
    {%- endif %}
    {%- for import in imports %}
{% for line in import.docs %}
    {{ line }}
    {%- endfor %}
    public interface {{ import.class }} {
        {%- for function in import.functions %}
        {%- for line in function.docs %}
        {{ line }}
        {%- endfor %}
        {{ function.returns }} {{ function.name }}({{ function.params }}) throws Exception;
        {%- if !loop.last %}
{% endif %}
        {%- endfor %}
    }
    {%- endfor %}
    {%- for guest in guests %}
{% for line in guest.docs %}
    {{ line }}
    {%- endfor %}
    public static final class {{ guest.class }} extends GuestObject {
        private final RawClient client$;

        private {{ guest.class }}(RawHandle given$) {
            super(given$);
            client$ = given$.client();
        }
        {%- for export in guest.methods %}
{% for line in export.docs %}
        {{ line }}
        {%- endfor %}
        public {{ export.returns }} {{ export.name }}({{ export.params }}) {
            {%- filter indent(4) %}
            {%- include "java/call.java" %}
            {%- endfilter %}
        }
        {%- endfor %}
    }
    {%- endfor %}
    {%- for host in hosted %}
    {%- if let Some(interface) = host.interface %}
{% for line in interface.docs %}
    {{ line }}
    {%- endfor %}
    {%- if interface.is_function %}
    @FunctionalInterface
    {%- endif %}
    public interface {{ host.class }} {
        {%- for method in interface.methods %}
        {%- for line in method.docs %}
        {{ line }}
        {%- endfor %}
        {{ method.returns }} {{ method.name }}({{ method.params }}) throws Exception;
        {%- if !loop.last %}
{% endif %}
        {%- endfor %}
    }
    {%- endif %}

    private static final RawSignature[] OF${{ host.class }} = {
        {%- for signature in host.signatures %}
        {{ signature }},
        {%- endfor %}
    };

    private static void put${{ host.class }}(RawRoom to, long at, {{ host.ty }} value) {
        {{ host.put }}(to, at, OF${{ host.class }}, value{{ host.also }}
        {%- if let Some(interface) = host.interface %}
        {%- for method in interface.methods %}, (args, result, room) -> {
            {%- for line in method.body %}
            {{ line }}
            {%- endfor %}
        }
        {%- endfor %}
        {%- endif %});
    }
    {%- endfor %}
    {%- for record in records %}
{% for line in record.docs %}
    {{ line }}
    {%- endfor %}
    public record {{ record.name }}({{ record.components }}){{ record.implements }} {}

    private static void put${{ record.name }}(RawRoom room, long at, {{ record.name }} value) {
        {%- for put in record.puts %}
        {{ put }}
        {%- endfor %}
    }

    private static {{ record.name }} get${{ record.name }}({{ record.client }}long at) {
        return new {{ record.name }}({{ record.gets }});
    }
    {%- endfor %}
    {%- for one in enums %}
{% for line in one.docs %}
    {{ line }}
    {%- endfor %}
    public enum {{ one.name }} {
        {%- for case in one.cases %}
        {%- for line in case.docs %}
        {{ line }}
        {%- endfor %}
        {{ case.name }},
        {%- endfor %}
        ;

        private static final {{ one.name }}[] CASES$ = values();
    }
    {%- endfor %}
    {%- for variant in variants %}
{% for line in variant.docs %}
    {{ line }}
    {%- endfor %}
    public sealed interface {{ variant.name }} permits {{ variant.permits }} {}

    private static void put${{ variant.name }}(RawRoom room, long at, {{ variant.name }} value) {
        {%- for case in variant.cases %}
        {% if !loop.first %}} else {% endif %}if (value instanceof {{ case.class }}{% if !case.puts.is_empty() %} found${% endif %}) {
            Raw.putTag(room, at, {{ loop.index0 }});
            {%- for put in case.puts %}
            {{ put }}
            {%- endfor %}
        {%- endfor %}
        } else {
            throw Raw.noCase({{ variant.wit }}, value);
        }
    }

    private static {{ variant.name }} get${{ variant.name }}({{ variant.client }}long at) {
        return switch (Raw.getTag(at)) {
            {%- for case in variant.cases %}
            case {{ loop.index0 }} -> {{ case.get }};
            {%- endfor %}
            default -> throw Raw.noCase({{ variant.wit }}, Raw.getTag(at));
        };
    }
    {%- endfor %}
    {%- for case in case_records %}
{% for line in case.docs %}
    {{ line }}
    {%- endfor %}
    public record {{ case.class }}({{ case.components }}){{ case.implements }} {}
    {%- endfor %}
    {%- for error in errors %}
{% for line in error.docs %}
    {{ line }}
    {%- endfor %}
    public static final class {{ error.class }} extends GuestException {
        private static final long serialVersionUID = 1;
{% for field in error.fields %}
        private final transient {{ field.ty }} {{ field.name }};
        {%- endfor %}

        /** An error of this text. */
        public {{ error.class }}(String {{ error.message }}{{ error.params }}) {
            super({{ error.message }}, new RawFields({{ error.wit }}, {{ error.digest }})
                    {%- for field in error.fields %}
                    .with({{ field.key }}, {{ field.name }})
                    {%- endfor %});
            {%- for field in error.fields %}
            this.{{ field.name }} = {{ field.name }};
            {%- endfor %}
        }

        /** An error of this text, which wraps another. */
        public {{ error.class }}(String {{ error.message }}{{ error.params }}, Throwable {{ error.cause }}) {
            this({{ error.message }}{{ error.given }});
            initCause({{ error.cause }});
        }

        {%- for field in error.fields %}
{% for line in field.docs %}
        {{ line }}
        {%- endfor %}
        public {{ field.ty }} {{ field.name }}() {
            return {{ field.name }};
        }
        {%- endfor %}
    }

    private static {{ error.class }} get{{ error.class }}(String text, long at, Throwable inner) {
        return new {{ error.class }}(text{{ error.gets }}, inner);
    }
    {%- endfor %}
    {%- for tuple in tuples %}

    /** {{ tuple.count }} values together. */
    public record {{ tuple.class }}<{{ tuple.types }}>({{ tuple.components }}) {}
    {%- endfor %}
}
