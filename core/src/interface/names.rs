//! Names across languages. The stored form is kebab-case.

use heck::ToKebabCase;

use crate::error::{Error, ErrorKind, escape};

/// Bytes of a name. The longest names that Go gives to functions of its own have some hundreds.
const MAX_NAME: usize = 1 << 10;

/// `user-id` as `user_id`.
#[must_use]
pub fn snake(kebab: &str) -> String {
    kebab.replace('-', "_")
}

/// `user-id` as `UserId`.
#[must_use]
pub fn pascal(kebab: &str) -> String {
    kebab.split('-').map(capitalised).collect()
}

/// `user-id` as `userId`.
#[must_use]
pub fn camel(kebab: &str) -> String {
    let mut words = kebab.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    first + &words.map(capitalised).collect::<String>()
}

/// `user_id`, `userId` or `UserID` as `user-id`, and `HTTPServer` as `http-server`: how a person
/// may write a WIT name.
#[must_use]
pub fn kebab(name: &str) -> String {
    name.to_kebab_case()
}

/// Whether somebody who wrote `name` means `kebab`: as it is in WIT, or in the spelling of a
/// language.
#[must_use]
pub fn means(name: &str, kebab: &str) -> bool {
    name == kebab || self::kebab(name) == kebab
}

/// A name as those of one scope are compared: they must differ in each host's own form, where WIT
/// tells `URL` from `url` and `a-1` from `a1`.
pub(crate) fn folded(name: &str) -> String {
    camel(&name.to_ascii_lowercase())
}

/// Names that people write are shorter and fewer. A hostile module may have a hundred thousand of
/// this length.
const LONGEST: usize = 100;
const MOST_CANDIDATES: usize = 5000;

/// The names as a list for an error: the first ones, and how many more there are.
#[must_use]
pub fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let more = names.len().saturating_sub(MOST);
    let mut list: Vec<String> = names.take(MOST).map(shortened).collect();
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    list.join(", ")
}

/// The name, or its beginning.
#[must_use]
pub fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

/// The names in `known` that are near to `name`, nearest first, at most three.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > LONGEST {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .take(MOST_CANDIDATES)
        .map(|candidate| (strsim::levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 4)
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, candidate)| candidate).take(3).collect()
}

/// `; did you mean 'greet'?`, or nothing when no name is near.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known).as_slice() {
        [] => String::new(),
        near => format!("; did you mean {}?", near.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(" or ")),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What is wrong with a name that hosts display and write into files: control characters, or its
/// length.
pub(crate) fn unfit(what: &str, name: &str) -> Option<Error> {
    let why = if name.len() > MAX_NAME {
        format!("{} bytes; at most {MAX_NAME} are accepted", name.len())
    } else if name.chars().all(escape::is_plain) {
        return None;
    } else {
        "a character that is no part of a name: a control character, or one that has no place of its own in a line".to_owned()
    };
    let shown = escape::line(name);
    Some(Error::new(ErrorKind::InvalidPlugin, format!("the name of {what}, '{}', has {why}", escape::bounded(&shown, 100))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_each_language_and_back() {
        assert_eq!(snake("user-id"), "user_id");
        assert_eq!(camel("user-id"), "userId");
        assert_eq!(pascal("user-id"), "UserId");
        for written in ["user-id", "user_id", "userId", "UserID", "user__id_"] {
            assert_eq!(kebab(written), "user-id", "{written}");
        }
        assert!(means("userId", "user-id") && means("a--b", "a--b") && !means("user-id", "userId"));
        assert_eq!(kebab("HTTPServer"), "http-server");
        assert_eq!(kebab("sha256Sum"), "sha256-sum");
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        assert_eq!(nearest("gret", ["greet", "add", "great"]), ["great", "greet"]);
        assert_eq!(did_you_mean("xyz", ["greet"]), "");
    }
}
