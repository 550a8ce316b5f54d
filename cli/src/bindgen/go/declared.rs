//! The types of a plugin as Go declares them, and what makes those of C of them.

use undergo::interface::{Case, EnumType, Field, RecordType, Type, VariantType};

use super::super::layout::Cases;
use super::text::{Docs, Scope, exported, literal};
use super::types::{Names, is_wrapped};
use super::{Module, or};

impl Module<'_> {
    pub(super) fn record(&mut self, record: &RecordType) {
        let class = self.names.of(&record.name);
        let Fields { names: fields, message } = Fields::of(record);
        self.out.blank();
        self.out.docs(0, or(&record.docs, &format!("{class} is the record {}.", record.name)));
        let shown = |(name, field): (&String, &Field)| (field.docs.clone(), name.clone(), self.names.show(&field.ty));
        let mut members: Vec<_> = fields.iter().zip(&record.fields).map(shown).collect();
        if let Some(message) = &message {
            let docs = format!("{message} is what it says; what it is and its fields, if that is empty.");
            members.push((docs, message.clone(), "string `undergo:\"-\" json:\"-\"`".to_owned()));
        }
        self.members(&class, &members);
        if let Some(message) = &message {
            self.out.blank();
            self.out.docs(0, "Error is what it says.");
            let name = literal(&record.name);
            self.out.line(0, &format!("func (e *{class}) Error() string {{ return undergo.RawErrorText(e.{message}, {name}, e) }}"));
        }
        self.out.blank();
        self.out.line(0, &format!("type raw{class} {}", self.names.raw_fields(record.fields.iter().map(|field| &field.ty))));
        self.out.blank();
        self.out.line(0, &format!("func lower{class}(w *undergo.RawWriter, v {class}) raw{class} {{"));
        if fields.is_empty() {
            self.out.line(1, &format!("return raw{class}{{}}"));
        } else {
            self.out.line(1, &format!("return raw{class}{{"));
            for (name, field) in fields.iter().zip(&record.fields) {
                self.out.line(2, &format!("{},", self.names.lower(&field.ty, &format!("v.{name}"), "w")));
            }
            self.out.line(1, "}");
        }
        self.out.line(0, "}");
        self.out.blank();
        self.out.line(0, &format!("func lift{class}(v raw{class}) {class} {{"));
        if fields.is_empty() {
            self.out.line(1, &format!("return {class}{{}}"));
        } else {
            self.out.line(1, &format!("return {class}{{"));
            for (i, field) in record.fields.iter().enumerate() {
                self.out.line(2, &format!("{},", self.names.lift(&field.ty, &format!("v.V{i}"))));
            }
            if message.is_some() {
                self.out.line(2, "\"\",");
            }
            self.out.line(1, "}");
        }
        self.out.line(0, "}");
    }

    /// A struct of fields with their comments, names and types.
    fn members(&mut self, class: &str, members: &[(String, String, String)]) {
        if members.is_empty() {
            self.out.line(0, &format!("type {class} struct{{}}"));
            return;
        }
        self.out.line(0, &format!("type {class} struct {{"));
        let has_docs = members.iter().any(|(docs, ..)| !docs.is_empty());
        let width = members.iter().map(|(_, name, _)| name.len()).max().unwrap_or(0);
        for (i, (docs, name, ty)) in members.iter().enumerate() {
            // A blank line between them, as there are comments, and names are not aligned.
            if has_docs && i > 0 {
                self.out.blank();
            }
            self.out.docs(1, docs);
            let width = if has_docs { name.len() } else { width };
            self.out.line(1, &format!("{name:width$} {ty}"));
        }
        self.out.line(0, "}");
    }

    /// An interface that the types of the cases implement, and those that are none of the plugin's.
    pub(super) fn variant(&mut self, variant: &VariantType) {
        let class = self.names.of(&variant.name);
        let classes: Vec<String> = variant.cases.iter().map(|case| self.names.of_case(variant, case)).collect();
        self.out.blank();
        self.out.docs(0, or(&variant.docs, &format!("{class} is the variant {}.", variant.name)));
        self.out.line(0, "//");
        self.out.docs(0, &format!("It is one of {}, or a pointer to one.", classes.join(", ")));
        self.out.line(0, &format!("type {class} interface{{ is{class}() }}"));
        for (case, name) in variant.cases.iter().zip(&classes) {
            if case.own_record().is_none() && self.written.insert(name.clone()) {
                self.case(variant, case, name);
            }
            self.out.blank();
            self.out.line(0, &format!("func ({name}) is{class}() {{}}"));
        }
        let words = Cases::of(variant).words();
        self.out.blank();
        match words {
            Some((count, bytes)) => self.out.line(0, &format!("type raw{class} struct{{ Tag int32; Value [{count}]uint{} }}", 8 * bytes)),
            None => self.out.line(0, &format!("type raw{class} struct{{ Tag int32 }}")),
        }
        self.out.blank();
        self.out.line(0, &format!("func lower{class}(w *undergo.RawWriter, v {class}) raw{class} {{"));
        self.out.line(1, &format!("var r raw{class}"));
        self.out.line(1, "switch v := v.(type) {");
        for (number, (case, name)) in variant.cases.iter().zip(&classes).enumerate() {
            self.out.line(1, &format!("case {name}:"));
            self.out.line(2, &format!("r.Tag = {number}"));
            if let Some(ty) = &case.ty {
                let lowered = self.names.lower(ty, &inside(&self.names, case, ty), "w");
                self.out.line(2, &format!("undergo.LowerCase(&r.Value, {lowered})"));
            }
            self.out.line(2, "return r");
            self.out.line(1, &format!("case *{name}:"));
            self.out.line(2, "if v != nil {");
            self.out.line(3, &format!("return lower{class}(w, *v)"));
            self.out.line(2, "}");
        }
        self.out.line(1, "}");
        self.out.line(1, &format!("r.Tag = w.NoCase({}, v)", literal(&variant.name)));
        self.out.line(1, "return r");
        self.out.line(0, "}");
        self.out.blank();
        self.out.line(0, &format!("func lift{class}(v raw{class}) {class} {{"));
        self.out.line(1, "switch v.Tag {");
        for (number, (case, name)) in variant.cases.iter().zip(&classes).enumerate() {
            self.out.line(1, &format!("case {number}:"));
            let value = match &case.ty {
                None => format!("{name}{{}}"),
                Some(ty) => {
                    let lifted = self.names.lift(ty, &format!("undergo.LiftCase[{}](&v.Value)", self.names.raw(ty)));
                    match () {
                        () if case.own_record().is_some() => lifted,
                        () if is_wrapped(ty) => format!("{name}{{{lifted}}}"),
                        () => format!("{name}({lifted})"),
                    }
                }
            };
            self.out.line(2, &format!("return {value}"));
        }
        self.out.line(1, "}");
        self.out.line(1, "return nil");
        self.out.line(0, "}");
    }

    /// The type of a case.
    fn case(&mut self, variant: &VariantType, case: &Case, name: &str) {
        self.out.blank();
        self.out.docs(0, or(&case.docs, &format!("{name} is the case {} of {}.", case.name, self.names.of(&variant.name))));
        match &case.ty {
            None => self.out.line(0, &format!("type {name} struct{{}}")),
            Some(ty) if is_wrapped(ty) => self.out.line(0, &format!("type {name} struct{{ Value {} }}", self.names.show(ty))),
            Some(ty) => self.out.line(0, &format!("type {name} {}", self.names.show(ty))),
        }
    }

    pub(super) fn cases(&mut self, cases: &EnumType) {
        let class = self.names.of(&cases.name);
        self.out.blank();
        self.out.docs(0, or(&cases.docs, &format!("{class} is the enum {}.", cases.name)));
        self.out.line(0, &format!("type {class} int32"));
        self.out.blank();
        self.out.docs(0, &format!("The cases of {class}."));
        self.out.line(0, "const (");
        for (i, (case, docs)) in cases.cases.iter().enumerate() {
            self.out.docs(1, docs);
            let name = self.names.scope.exported(&format!("{class}-{}", exported(case)));
            self.out.line(1, &if i == 0 { format!("{name} {class} = iota") } else { name });
        }
        self.out.line(0, ")");
        self.out.blank();
        let list: Vec<String> = cases.cases.iter().map(|(case, _)| literal(case)).collect();
        self.out.line(0, &format!("var casesOf{class} = []string{{{}}}", list.join(", ")));
        let name = literal(&cases.name);
        self.out.blank();
        self.out.docs(0, "String is the name of the case.");
        self.out.line(0, &format!("func (v {class}) String() string {{ return undergo.RawCaseName({name}, casesOf{class}, int32(v)) }}"));
        self.out.blank();
        self.out.docs(0, "MarshalText writes the name of the case.");
        self.out.line(0, &format!("func (v {class}) MarshalText() ([]byte, error) {{ return []byte(v.String()), nil }}"));
        self.out.blank();
        self.out.docs(0, "UnmarshalText reads the name of a case.");
        self.out.line(0, &format!("func (v *{class}) UnmarshalText(text []byte) error {{"));
        self.out.line(1, &format!("number, err := undergo.RawCase({name}, casesOf{class}, text)"));
        self.out.line(1, "if err == nil {");
        self.out.line(2, &format!("*v = {class}(number)"));
        self.out.line(1, "}");
        self.out.line(1, "return err");
        self.out.line(0, "}");
    }
}

/// The names of a struct's fields in Go.
pub(super) struct Fields {
    /// Those of the record.
    pub(super) names: Vec<String>,
    /// That of the text of an error.
    pub(super) message: Option<String>,
}

impl Fields {
    pub(super) fn of(record: &RecordType) -> Fields {
        // A field has no name of a method.
        let mut scope = Scope::new(record.is_error.then_some("Error"));
        let names = record.fields.iter().map(|field| scope.exported(&field.name)).collect();
        Fields { names, message: record.is_error.then(|| scope.exported("message")) }
    }
}

/// An expression for the value of a case of the type for it, which is called `v`.
fn inside(names: &Names, case: &Case, ty: &Type) -> String {
    match () {
        () if case.own_record().is_some() => "v".to_owned(),
        () if is_wrapped(ty) => "v.Value".to_owned(),
        () => format!("{}(v)", names.show(ty)),
    }
}
