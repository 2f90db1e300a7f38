//! The files of the repository, or of a sample.

use std::path::Path;
use std::process::Command;

#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) files: Vec<File>,
}

#[derive(Debug)]
pub(crate) struct File {
    /// From the root of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repo {
    /// What git knows and what stands there now; a file that was just removed is skipped.
    pub(crate) fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository");
        let listed =
            Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().expect("git runs");
        assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
        let read = |path: &str| {
            let text = std::fs::read(root.join(path)).ok()?;
            Some(File { path: path.to_owned(), text: String::from_utf8(text).ok()? })
        };
        let files: Vec<File> = paths.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect();
        assert!(files.len() > 100, "git ls-files found only {} files", files.len());
        Self { files }
    }

    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { files: files.iter().map(file).collect() }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.ending(".rs")
    }

    pub(crate) fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(ending))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
    }

    /// The lines of code before an inline `mod tests`, numbered; comments are left out.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let product = lines.take_while(|(_, line)| *line != "mod tests {");
        product.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(at, line)| (at + 1, line))
    }
}

/// Whether the line uses this path or name as a whole word.
pub(crate) fn names(line: &str, word: &str) -> bool {
    let part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !part(before) && !part(after)
    })
}

/// Where product code outside `allowed` (beginnings of paths) names any of the words.
pub(crate) fn named_outside(repo: &Repo, words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let files = repo.rust().filter(|file| !file.is_test());
    for file in files.filter(|file| !allowed.iter().any(|allowed| file.path.starts_with(allowed))) {
        for (at, line) in file.code() {
            wrong.extend(words.iter().filter(|word| names(line, word)).map(|word| {
                format!("{}:{at}: names {word}, which only {} may", file.path, allowed.join(", "))
            }));
        }
    }
    wrong
}
