//! The configuration file: which cluster, and as whom.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::surroundings::Variables;

/// More coordinators than a cluster has members or a person would list.
const COORDINATORS: usize = 32;

/// `config.toml`, as `skepd init` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The cluster's id.
    pub(crate) cluster: String,
    /// HOST:PORT of control ports, tried in this order.
    pub(crate) coordinators: Vec<String>,
    /// Relative paths start at the file's folder.
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A file that was read, with its paths made whole.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) folder: PathBuf,
    pub(crate) file: File,
}

impl Config {
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|source| unread(path, source))?;
        let file: File = toml::from_str(&text)
            .map_err(|source| Failure::Config { path: path.to_owned(), source: source.into() })?;
        if file.coordinators.is_empty() || file.coordinators.len() > COORDINATORS {
            let source = format!("`coordinators` needs 1 to {COORDINATORS} addresses").into();
            return Err(Failure::Config { path: path.to_owned(), source });
        }
        Ok(Self { folder: folder(path), file })
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join(&self.file.ca)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join(&self.file.certificate)
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join(&self.file.key)
    }
}

fn unread(path: &Path, source: std::io::Error) -> Failure {
    if source.kind() == std::io::ErrorKind::NotFound {
        return Failure::Usage(format!(
            "no cluster is configured: there is no {}; make one with `skep cluster init`, or name another file with --config",
            path.display()
        ));
    }
    Failure::Config { path: path.to_owned(), source: source.into() }
}

/// `given`, else `SKEP_CONFIG`, else `skep/config.toml` in the person's configuration folder.
pub(crate) fn path(given: Option<&Path>, variables: &Variables) -> Result<PathBuf, Failure> {
    if let Some(path) = given.map(Path::to_owned).or_else(|| variables.get("SKEP_CONFIG").map(PathBuf::from))
    {
        return Ok(path);
    }
    let base = variables
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variables.get("HOME").map(|home| Path::new(home).join(".config")));
    base.map(|base| base.join("skep/config.toml")).ok_or_else(|| {
        Failure::Usage("neither SKEP_CONFIG nor HOME is set; name the configuration with --config".to_owned())
    })
}

/// Absolute, because shells are told of paths below it and may change folders.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().copied().collect()
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_that_over_home() {
        let all = variables(&[("SKEP_CONFIG", "/e/c.toml"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(path(Some(Path::new("/f.toml")), &all).unwrap(), Path::new("/f.toml"));
        assert_eq!(path(None, &all).unwrap(), Path::new("/e/c.toml"));
        let xdg = variables(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(path(None, &xdg).unwrap(), Path::new("/x/skep/config.toml"));
        let home = variables(&[("HOME", "/h")]);
        assert_eq!(path(None, &home).unwrap(), Path::new("/h/.config/skep/config.toml"));
        assert!(path(None, &variables(&[])).is_err());
    }

    #[test]
    fn paths_start_at_the_files_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "cluster = 'c'\ncoordinators = ['127.0.0.1:1']\nca = 'ca.pem'\ncertificate = '/abs/p.pem'\nkey = 'p.key'\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.ca(), folder.path().join("ca.pem"));
        assert_eq!(config.certificate(), Path::new("/abs/p.pem"));
    }

    #[test]
    fn a_file_without_coordinators_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "cluster='c'\ncoordinators=[]\nca=''\ncertificate=''\nkey=''\n").unwrap();
        assert!(Config::load(&path).unwrap_err().text().contains("needs 1 to 32 addresses"));
    }
}
