package undergo

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The conformance list of all hosts: conformance/README.md says how it is run.

type conformanceCase struct {
	Name   string            `json:"name"`
	Fresh  bool              `json:"fresh"`
	Limits *caseLimits       `json:"limits"`
	Env    map[string]string `json:"env"`
	Args   []any             `json:"args"`
	Steps  []conformanceStep `json:"steps"`
	Needs  []string          `json:"needs"`
}

type caseLimits struct {
	MemoryMiB uint64 `json:"memory_mib"`
	Handles   uint32 `json:"handles"`
	TimeoutMs int64  `json:"timeout_ms"`
}

type conformanceStep struct {
	Call    string `json:"call"`
	On      string `json:"on"`
	New     string `json:"new"`
	Close   string `json:"close"`
	Next    string `json:"next"`
	Read    string `json:"read"`
	Write   string `json:"write"`
	Written string `json:"written"`
	In      string `json:"in"`
	Most    int    `json:"most"`
	Data    any    `json:"data"`
	End     bool   `json:"end"`
	Args    []any  `json:"args"`
	Result  any    `json:"result"`
	// HasResult says whether the result is to be compared.
	HasResult bool     `json:"-"`
	Alive     *bool    `json:"alive"`
	Needs     []string `json:"needs"`
	Error     *struct {
		Kind     string `json:"kind"`
		Path     string `json:"path"`
		Contains string `json:"contains"`
		Chain    []struct {
			Text   string `json:"text"`
			Name   string `json:"name"`
			Fields any    `json:"fields"`
		} `json:"chain"`
	} `json:"error"`
}

// UnmarshalJSON tells a result that is nothing from none.
func (s *conformanceStep) UnmarshalJSON(encoded []byte) error {
	type plain conformanceStep
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode((*plain)(s)); err != nil {
		return err
	}
	var keys map[string]json.RawMessage
	err := json.Unmarshal(encoded, &keys)
	_, s.HasResult = keys["result"]
	return err
}

var capabilities = []string{"dynamic", "strict-records", "nanoseconds", "handles", "passing-on"}

// guestForm is how the guest is loaded.
type guestForm struct {
	plugin *Plugin
	// has is what the guest has beside what the host has.
	has         []string
	isComponent bool
}

func decode(t testing.TB, encoded []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	plugin := conformance(t)
	called := runFiles(t, guestForm{plugin: plugin, has: []string{"module"}})
	for _, export := range plugin.Exports() {
		if !called[export.Name] && !t.Failed() {
			t.Errorf("%s has no case", export.Name)
		}
	}
}

func TestConformanceOfTheComponent(t *testing.T) {
	runFiles(t, guestForm{plugin: conformanceComponent(t), has: []string{"component"}, isComponent: true})
}

// runFiles gives the functions that were called.
func runFiles(t *testing.T, guest guestForm) map[string]bool {
	files, err := filepath.Glob("../conformance/cases/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal("the cases are missing", err)
	}
	called := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { runFile(t, guest, file, called) })
	}
	return called
}

func runFile(t *testing.T, guest guestForm, file string, called map[string]bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Cases []json.RawMessage `json:"cases"`
		Needs []string          `json:"needs"`
	}
	decode(t, content, &list)
	runner := &conformanceRunner{world: world{guestForm: guest}, kept: map[string]any{}}
	defer runner.end()
	for _, raw := range list.Cases {
		given := conformanceCase{}
		decode(t, raw, &given)
		steps := given.Steps
		if steps == nil {
			var only conformanceStep
			decode(t, raw, &only)
			steps, given.Args = []conformanceStep{only}, nil
		}
		for _, step := range steps {
			if step.On == "" {
				called[step.Call] = true
			}
		}
		t.Run(given.Name, func(t *testing.T) {
			for _, step := range steps {
				for _, need := range slices.Concat(list.Needs, given.Needs, step.Needs) {
					if !slices.Contains(capabilities, need) && !slices.Contains(guest.has, need) {
						t.Skip("Go, with the guest as it is loaded, lacks " + need)
					}
				}
			}
			runner.run(t, &given, steps)
		})
	}
}

type conformanceRunner struct {
	world
	// other is another instance, which some cases have.
	other   *world
	special bool
	// kept is what the case has kept by its names, and replaced what had such a name before.
	kept     map[string]any
	replaced []any
}

func (r *conformanceRunner) end() {
	if r.instance != nil {
		_ = r.instance.Close()
	}
}

func (r *conformanceRunner) run(t *testing.T, given *conformanceCase, steps []conformanceStep) {
	own := given.Limits != nil || given.Env != nil || given.Args != nil
	if r.instance == nil || given.Fresh || own || r.special || !r.instance.Alive() {
		r.end()
		r.begin(t, given)
	}
	r.special = own
	for i := range steps {
		in := &r.world
		if steps[i].In != "" {
			in = r.another(t, given)
		}
		r.step(t, in, &steps[i])
	}
	r.forget()
	if r.other != nil {
		_ = r.other.instance.Close()
		r.other = nil
	}
}

func (r *conformanceRunner) begin(t *testing.T, given *conformanceCase) {
	r.world = world{guestForm: r.guestForm, store: store{}}
	r.world.begin(t, given)
}

// another is the other instance of a case.
func (r *conformanceRunner) another(t *testing.T, given *conformanceCase) *world {
	if r.other == nil {
		r.other = &world{guestForm: r.guestForm, store: store{}}
		r.other.begin(t, given)
	}
	return r.other
}

func (w *world) begin(t *testing.T, given *conformanceCase) {
	options := []Option{w.options()}
	if limits := given.Limits; limits != nil {
		options = append(options, WithMemory(limits.MemoryMiB<<20), WithHandles(limits.Handles), WithTimeout(time.Duration(limits.TimeoutMs)*time.Millisecond))
	}
	for name, value := range given.Env {
		options = append(options, WithEnv(name, value))
	}
	for _, argument := range given.Args {
		options = append(options, WithArgs(argument.(string)))
	}
	made, err := w.plugin.Instantiate(context.Background(), options...)
	if err != nil {
		t.Fatal(err)
	}
	w.instance = made
}

func (r *conformanceRunner) step(t *testing.T, in *world, step *conformanceStep) {
	result, err := r.ran(t, in, step)
	if step.Error == nil {
		if err != nil {
			t.Fatal(err)
		}
		if step.HasResult {
			r.compare(t, result, step.Result)
		}
	} else {
		step.failed(t, result, err)
	}
	if step.Alive != nil && in.instance.Alive() != *step.Alive {
		t.Errorf("alive is %t", !*step.Alive)
	}
}

// ran does what a step says.
func (r *conformanceRunner) ran(t *testing.T, in *world, step *conformanceStep) (any, error) {
	ctx := context.Background()
	if step.Call == "" {
		return r.others(ctx, t, in, step)
	}
	var of Callable = in.instance
	var types []typeField
	if step.On != "" {
		of = r.kept[step.On].(*Object)
	}
	if found, err := of.find(step.Call); err == nil {
		types = found.params
		if step.On != "" {
			types = types[1:]
		}
	}
	arguments := make([]any, len(step.Args))
	for i, argument := range step.Args {
		var wanted *typ
		if i < len(types) {
			wanted = types[i].typ
		}
		if r.isComponent {
			argument = withPairs(argument)
		}
		arguments[i] = r.argument(t, in, argument, wanted)
	}
	return Call[any](ctx, of, step.Call, arguments...)
}

// withPairs is an argument for a component, whose maps are lists of pairs.
func withPairs(value any) any {
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = withPairs(item)
		}
		return list
	case map[string]any:
		if pairs, ok := value["$map"]; ok {
			return withPairs(pairs)
		}
		object := make(map[string]any, len(value))
		for name, item := range value {
			object[name] = withPairs(item)
		}
		return object
	}
	return value
}

// failed compares the error.
func (s *conformanceStep) failed(t *testing.T, result any, err error) {
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("%s gave %v, not an error but for %v", s.Call, result, err)
	}
	if failed.Kind.String() != s.Error.Kind {
		t.Errorf("the error is %s, not %s: %v", failed.Kind, s.Error.Kind, failed)
	}
	if !strings.Contains(failed.Path+" "+failed.Message, s.Error.Path) || !strings.Contains(failed.Message, s.Error.Contains) {
		t.Errorf("the error is %q at %q, and misses %q or %q", failed.Message, failed.Path, s.Error.Contains, s.Error.Path)
	}
	var rest error = failed
	for _, wanted := range s.Error.Chain {
		link, ok := rest.(*Error)
		if !ok || link.Message != wanted.Text || link.Name != wanted.Name || (link.Fields == nil) != (wanted.Fields == nil) {
			t.Fatalf("%#v is not %v", rest, wanted)
		}
		if wanted.Fields != nil {
			compare(t, link.Fields, wanted.Fields)
		}
		rest = link.Unwrap()
	}
	if len(s.Error.Chain) > 0 && rest != nil {
		t.Errorf("it wraps %v, too", rest)
	}
}

type residence struct {
	Street string
	Zip    *uint32
}

type person struct {
	Name     string
	Email    *string
	Age      uint8
	Tags     []string
	Home     residence
	Others   []residence
	Scores   map[string]float64
	Favorite string
	Level    *string
	Born     time.Time
	Nap      time.Duration
	UserID   uint32
}

// options are the functions of the host, and silence.
func (w *world) options() Option {
	return Options(w.imports(), WithStdout(io.Discard), WithStderr(io.Discard))
}

func (w *world) imports() Option {
	host := func(name string, function any) Option { return WithImport("host", name, function) }
	var echoPerson, echoCounts any = func(p person) person { return p }, func(v map[string]int64) map[string]int64 { return v }
	if w.isComponent {
		// Its maps are lists of pairs, which no map of Go takes.
		echoPerson = func(v any) any { return v }
		echoCounts = echoPerson
	}
	return Options(
		host("echo-string", func(s string) string { return s }),
		host("echo-bytes", func(v []byte) []byte { return v }),
		host("EchoInt", func(_ context.Context, v int64) (int64, error) { return v, nil }),
		host("echo-strings", func(v []string) []string { return v }),
		host("echo-floats", func(v []float64) []float64 { return v }),
		host("echo-person", echoPerson),
		host("echo-maybe", func(v *string) *string { return v }),
		host("echo-color", func(v any) any { return v }),
		host("echo-counts", echoCounts),
		host("echo-time", func(v time.Time) time.Time { return v }),
		host("echo-duration", func(v time.Duration) time.Duration { return v }),
		host("echo-shape", func(v any) any { return v }),
		host("echo-json", func(v any) any { return v }),
		host("echo-raw", func(v json.RawMessage) json.RawMessage { return v }),
		host("many", func(a int8, b uint16, c int32, d int64, e float64, f bool, g, h, i, j, k, l string) string {
			return fmt.Sprintf("%d %d %d %d %v %t %s|%s|%s|%s|%s|%s", a, b, c, d, e, f, g, h, i, j, k, l)
		}),
		host("bundle", func(id int8, s, m, d, v any, name string) (int8, any, any, any, any, string) {
			return id, s, m, d, v, name
		}),
		host("divmod", func(a, b int64) (int64, int64) { return a / b, a % b }),
		host("note", func(s string) { w.notes = append(w.notes, s) }),
		host("notes", func() []string {
			notes := w.notes
			w.notes = nil
			return notes
		}),
		host("fail", func(msg string) (string, error) { return "", errors.New(msg) }),
		host("check", func(msg string) error {
			if msg == "" {
				return nil
			}
			return errors.New(msg)
		}),
		host("lookup", func(key string) (string, error) {
			if key == "" {
				return "", nil
			}
			return "", fmt.Errorf("looking up: %w", &Error{Message: "not found: " + key, Name: "not-found", Fields: map[string]any{"key": key, "code": 404}})
		}),
		host("crash", func(msg string) error { return errors.New(msg) }),
		host("wrong-type", func() any { return "not a number" }),
		host("wrong-result", func() any { return "not a list" }),
		host("reenter", func(ctx context.Context, depth int64) (int64, error) {
			deeper, err := Call[int64](ctx, w.instance, "reenter", depth-1)
			return deeper + 1, err
		}),
	)
}

// special gives what stands behind the only key of an object, if that begins with a dollar.
func special(value any) (key string, inner any) {
	if object, ok := value.(map[string]any); ok && (len(object) == 1 || object["then"] != nil) {
		for key, inner := range object {
			if strings.HasPrefix(key, "$") {
				return key, inner
			}
		}
	}
	return "", nil
}

func integer(text string) any {
	if signed, err := strconv.ParseInt(text, 10, 64); err == nil {
		return signed
	}
	if unsigned, err := strconv.ParseUint(text, 10, 64); err == nil {
		return unsigned
	}
	return nil
}

// goValue is the value that a JSON one stands for.
func goValue(t testing.TB, value any, wanted *typ) any {
	switch value := value.(type) {
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			number, _ := value.Float64()
			return number
		}
		return integer(value.String())
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = goValue(t, item, nil)
		}
		return list
	case map[string]any:
		key, inner := special(value)
		if key == "" {
			record := make(map[string]any, len(value))
			for name, field := range value {
				record[name] = goValue(t, field, nil)
			}
			return record
		}
		return specialValue(t, key, inner, wanted)
	}
	return value
}

func specialValue(t testing.TB, key string, inner any, wanted *typ) any {
	switch key {
	case "$keep", "$items", "$reader":
		// What is compared in a way of its own.
		return nil
	case "$int":
		number := integer(inner.(string))
		if number == nil {
			t.Skip("Go lacks integers of more than 64 bits")
		}
		return number
	case "$float":
		number, err := strconv.ParseFloat(inner.(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		return number
	case "$bytes":
		decoded, err := hex.DecodeString(inner.(string))
		if err != nil {
			t.Fatal(err)
		}
		return decoded
	case "$map":
		made := map[any]any{}
		for _, pair := range inner.([]any) {
			made[goValue(t, pair.([]any)[0], nil)] = goValue(t, pair.([]any)[1], nil)
		}
		return made
	case "$case":
		parts := inner.([]any)
		made := Case{Tag: parts[0].(string)}
		if len(parts) > 1 {
			made.Val = goValue(t, parts[1], nil)
		}
		return made
	case "$duration":
		nanoseconds, _ := strconv.ParseInt(inner.(string), 10, 64)
		return time.Duration(nanoseconds)
	case "$time":
		return timeValue(inner)
	case "$json":
		encoded, err := json.Marshal(inner)
		if err != nil {
			t.Fatal(err)
		}
		return json.RawMessage(encoded)
	case "$repeat":
		repeat := inner.(map[string]any)
		count, _ := strconv.Atoi(string(repeat["count"].(json.Number)))
		one := goValue(t, repeat["value"], nil)
		if text, ok := one.(string); ok && (wanted == nil || wanted.kind == kindString) {
			return strings.Repeat(text, count)
		}
		if part, ok := one.([]byte); ok && (wanted == nil || wanted.String() == "list<u8>") {
			return bytes.Repeat(part, count)
		}
		list := make([]any, count)
		for i := range list {
			list[i] = one
		}
		return list
	}
	t.Fatalf("there is no %s", key)
	return nil
}

func timeValue(inner any) time.Time {
	parts := inner.(map[string]any)
	number := func(name string) int64 {
		found, _ := parts[name].(json.Number).Int64()
		return found
	}
	return cTime{number("seconds"), uint32(number("nanoseconds")), int32(number("offset"))}.time()
}

// compare compares a result with the JSON value that stands for it.
func compare(t testing.TB, actual, expected any) {
	t.Helper()
	(&conformanceRunner{}).compare(t, actual, expected)
}

// compare keeps what the case wants, too.
func (r *conformanceRunner) compare(t testing.TB, actual, expected any) {
	t.Helper()
	key, inner := special(expected)
	if r.keeping(t, actual, key, inner) {
		return
	}
	v := reflect.ValueOf(actual)
	switch key {
	case "$between":
		low, _ := inner.([]any)[0].(json.Number).Int64()
		high, _ := inner.([]any)[1].(json.Number).Int64()
		if v.Int() < low || v.Int() > high {
			t.Errorf("%v is not between %d and %d", actual, low, high)
		}
		return
	case "$json":
		var got any
		decode(t, actual.(json.RawMessage), &got)
		sameJSON(t, got, inner)
		return
	case "$map":
		pairs := inner.([]any)
		if v.Kind() == reflect.Slice && r.isComponent {
			r.comparePairs(t, v, pairs)
			return
		}
		if v.Kind() != reflect.Map || v.Len() != len(pairs) {
			t.Fatalf("%v is not a map of %d", actual, len(pairs))
		}
		for _, pair := range pairs {
			wanted := reflect.ValueOf(goValue(t, pair.([]any)[0], nil)).Convert(v.Type().Key())
			value := v.MapIndex(wanted)
			if !value.IsValid() {
				t.Fatalf("%v has no %v", actual, wanted)
			}
			r.compare(t, value.Interface(), pair.([]any)[1])
		}
		return
	case "$case":
		got, ok := actual.(Case)
		parts := inner.([]any)
		if !ok || got.Tag != parts[0] || len(parts) == 1 && got.Val != nil {
			t.Fatalf("%v is not %v", actual, inner)
		}
		if len(parts) > 1 {
			r.compare(t, got.Val, parts[1])
		}
		return
	case "$repeat":
		if v.Kind() == reflect.Slice && v.Type() != reflect.TypeFor[[]byte]() {
			count, _ := strconv.Atoi(string(inner.(map[string]any)["count"].(json.Number)))
			if v.Len() != count {
				t.Fatalf("the list has %d items, not %d", v.Len(), count)
			}
			for i := range count {
				r.compare(t, v.Index(i).Interface(), inner.(map[string]any)["value"])
			}
			return
		}
	case "$time":
		got, wanted := timeOf(actual.(time.Time)), timeOf(timeValue(inner))
		if got != wanted {
			t.Errorf("%v is not %v", got, wanted)
		}
		return
	}
	switch wanted := goValue(t, expected, nil).(type) {
	case map[string]any:
		record, ok := actual.(map[string]any)
		if !ok || len(record) != len(wanted) {
			t.Fatalf("%v is not %v", actual, wanted)
		}
		for name, field := range expected.(map[string]any) {
			r.compare(t, record[name], field)
		}
	case []any:
		if v.Kind() != reflect.Slice || v.Len() != len(wanted) {
			t.Fatalf("%v is not %v", actual, wanted)
		}
		for i, item := range expected.([]any) {
			r.compare(t, v.Index(i).Interface(), item)
		}
	case int64, uint64:
		if v.CanFloat() {
			compareFloat(t, v.Float(), toFloat(wanted))
		} else if fmt.Sprint(actual) != fmt.Sprint(wanted) || !v.CanInt() && !v.CanUint() {
			t.Errorf("%v is not %v", actual, wanted)
		}
	case float64:
		compareFloat(t, v.Float(), wanted)
	default:
		if !reflect.DeepEqual(actual, wanted) {
			t.Errorf("%v (%T) is not %v (%T)", actual, actual, wanted, wanted)
		}
	}
}

// comparePairs compares the map of a component with pairs in any order.
func (r *conformanceRunner) comparePairs(t testing.TB, actual reflect.Value, wanted []any) {
	t.Helper()
	if actual.Len() != len(wanted) {
		t.Fatalf("%v is not a map of %d", actual, len(wanted))
	}
	found := map[string]any{}
	for i := range actual.Len() {
		pair := reflect.ValueOf(actual.Index(i).Interface())
		found[fmt.Sprint(pair.Index(0))] = pair.Index(1).Interface()
	}
	for _, pair := range wanted {
		pair := pair.([]any)
		value, ok := found[fmt.Sprint(goValue(t, pair[0], nil))]
		if !ok {
			t.Fatalf("%v has no %v", actual, pair[0])
		}
		r.compare(t, value, pair[1])
	}
}

func toFloat(number any) float64 {
	float, _ := strconv.ParseFloat(fmt.Sprint(number), 64)
	return float
}

// compareFloat tells 0.0 from -0.0, and has NaN equal NaN.
func compareFloat(t testing.TB, actual, wanted float64) {
	t.Helper()
	if math.IsNaN(actual) != math.IsNaN(wanted) || !math.IsNaN(wanted) && (actual != wanted || math.Signbit(actual) != math.Signbit(wanted)) {
		t.Errorf("%v is not %v", actual, wanted)
	}
}

func sameJSON(t testing.TB, actual, wanted any) {
	t.Helper()
	one, two := normal(actual), normal(wanted)
	if !reflect.DeepEqual(one, two) {
		t.Errorf("%v is not %v", one, two)
	}
}

// normal has numbers of JSON compare as numbers.
func normal(value any) any {
	switch value := value.(type) {
	case json.Number:
		number, _ := value.Float64()
		return number
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = normal(item)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, item := range value {
			object[name] = normal(item)
		}
		return object
	}
	return value
}
