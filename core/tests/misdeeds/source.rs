//! The lines of the guest's source that traces must name: those with a comment `at: NAME`, or
//! `at: NAME in FUNCTION`.

use std::collections::BTreeMap;
use std::path::Path;

use undergo::{Error, ErrorKind, Frame};

use crate::table::Case;

/// By the misdeed's name.
#[derive(Clone)]
pub(crate) struct Places(BTreeMap<String, Frame>);

pub(crate) fn read() -> Result<Places, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/hostile");
    let mut places = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "go") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        for (number, line) in (1..).zip(text.lines()) {
            let Some((_, mark)) = line.split_once(" // at: ") else { continue };
            let (name, function) =
                mark.split_once(" in ").map_or_else(|| (mark, camel(mark)), |(name, function)| (name, function.to_owned()));
            places.insert(name.to_owned(), Frame { function, file: file.clone().into_owned(), line: number });
        }
    }
    Ok(Places(places))
}

/// `main.nilMapWrite` for `nil-map-write`.
fn camel(name: &str) -> String {
    let mut function = "main.".to_owned();
    for (i, word) in name.split('-').enumerate() {
        let (first, rest) = word.split_at(word.len().min(1));
        function.push_str(&if i == 0 { first.to_owned() } else { first.to_uppercase() });
        function.push_str(rest);
    }
    function
}

impl Places {
    /// A panic's first frame of the plugin is the line that is marked.
    pub(crate) fn check(&self, misdeed: &str, error: &Error) -> Result<(), String> {
        if !matches!(error.kind(), ErrorKind::Panic | ErrorKind::OutOfMemory) {
            return Ok(());
        }
        let Some(place) = self.0.get(misdeed) else { return Ok(()) };
        let origin = error.origin().ok_or_else(|| format!("there is no frame: {error:?}\n{}", error.stderr()))?;
        let is_file = origin.file.rsplit('/').next() == Some(place.file.as_str());
        if origin.function != place.function || origin.line != place.line || !is_file {
            return Err(format!("the first frame is {origin:?}, and should be {place:?}"));
        }
        // The trace goes on to where the host came in, but in a goroutine, or a long way above it.
        let entered = ["main.Do", "main.init.0", place.function.split(".func").next().unwrap_or_default()];
        let is_whole = error.frames().iter().any(|frame| entered.contains(&frame.function.as_str()));
        if is_whole && error.stderr().contains(&place.file) { Ok(()) } else { Err(format!("the trace is incomplete: {error:?}")) }
    }

    /// A mark that no case asks for is a slip of the pen.
    pub(crate) fn are_used(&self, cases: &[Case]) -> Result<(), String> {
        let unused: Vec<&String> = self.0.keys().filter(|name| cases.iter().all(|case| case.misdeed != **name)).collect();
        if unused.is_empty() && self.0.len() > 30 { Ok(()) } else { Err(format!("{} marks, unused are {unused:?}", self.0.len())) }
    }
}
