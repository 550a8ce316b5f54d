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
        {%- for export in exports %}
        {{ export.signature }},
        {%- endfor %}
    };

    private final RawClient client;

    /**
     * The functions of an instance or a pool.
     *
     * @throws dev.undergo.java.SignatureMismatchException when its plugin has others.
     */
    public {{ class }}(Exports exports) {
        client = new RawClient(exports, EXPORTS);
    }

    /** What these are the functions of. */
    public Exports exports() {
        return client.exports();
    }
    {%- for export in exports %}
{% for line in export.docs %}
    {{ line }}
    {%- endfor %}
    public {{ export.returns }} {{ export.name }}({{ export.params }}) {
        RawCall call = this.client.begin({{ loop.index0 }}, {{ export.size }}, {{ export.result_size }});
        try {
            {%- if !export.puts.is_empty() %}
            long args = call.args();
            {%- endif %}
            {%- for put in export.puts %}
            {{ put }}
            {%- endfor %}
            call.run();
            {%- if let Some(get) = export.get %}
            return {{ get }};
            {%- endif %}
        } catch (RuntimeException error) {
            throw call.failed({{ export.wit }}, error);
        } finally {
            call.end();
        }
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
    {%- for record in records %}
{% for line in record.docs %}
    {{ line }}
    {%- endfor %}
    public record {{ record.name }}({{ record.components }}) {}

    private static void put{{ record.name }}(RawRoom room, long at, {{ record.name }} value) {
        {%- for put in record.puts %}
        {{ put }}
        {%- endfor %}
    }

    private static {{ record.name }} get{{ record.name }}(long at) {
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
    {%- for tuple in tuples %}

    /** {{ tuple.count }} values together. */
    public record {{ tuple.class }}<{{ tuple.types }}>({{ tuple.components }}) {}
    {%- endfor %}
}
