//! Variables, in the words of each shell. Values are quoted for it: the output is evaluated.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    #[value(alias = "sh", alias = "zsh", alias = "ksh", alias = "dash", alias = "ash")]
    Bash,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
    Cmd,
    #[value(alias = "csh")]
    Tcsh,
    Emacs,
}

impl Shell {
    /// From a path such as `/usr/bin/fish`; what is not known is taken for a shell like bash.
    pub(crate) fn of_path(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        Self::from_str(name, true).unwrap_or(Self::Bash)
    }

    pub(crate) fn set(self, name: &str, value: &str) -> String {
        match self {
            Self::Bash => format!("export {name}=\"{}\"\n", escaped(value, "\\\"$`", '\\')),
            Self::Fish => format!("set -gx {name} \"{}\";\n", escaped(value, "\\\"$", '\\')),
            Self::Powershell => format!("$Env:{name} = \"{}\"\n", escaped(value, "`\"$", '`')),
            Self::Cmd => format!("SET {name}={value}\n"),
            // Inside double quotes tcsh has no way to write `$`: single ones, which only end themselves.
            Self::Tcsh => format!("setenv {name} '{}';\n", value.replace('\'', "'\\''").replace('!', "\\!")),
            Self::Emacs => format!("(setenv \"{name}\" \"{}\")\n", escaped(value, "\\\"", '\\')),
        }
    }

    pub(crate) fn unset(self, name: &str) -> String {
        match self {
            Self::Bash => format!("unset {name}\n"),
            Self::Fish => format!("set -e {name};\n"),
            Self::Powershell => format!("Remove-Item Env:\\\\{name}\n"),
            Self::Cmd => format!("SET {name}=\n"),
            Self::Tcsh => format!("unsetenv {name};\n"),
            Self::Emacs => format!("(setenv \"{name}\" nil)\n"),
        }
    }

    /// A comment that says how to have `command`'s output evaluated.
    pub(crate) fn hint(self, command: &str) -> String {
        let (mark, how) = match self {
            Self::Bash => ("#", format!("eval $({command})")),
            Self::Fish => ("#", format!("eval ({command})")),
            Self::Powershell => ("#", format!("& {command} | Invoke-Expression")),
            Self::Cmd => ("REM", format!("@FOR /f \"tokens=*\" %i IN ('{command}') DO @%i")),
            Self::Tcsh => (":", format!("eval `{command}`")),
            Self::Emacs => (
                ";;",
                format!("(with-temp-buffer (shell-command \"{command}\" (current-buffer)) (eval-buffer))"),
            ),
        };
        format!("{mark} Run this command to configure your shell:\n{mark} {how}\n")
    }
}

fn escaped(value: &str, special: &str, mark: char) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if special.contains(c) {
            text.push(mark);
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_known_by_its_file() {
        assert_eq!(Shell::of_path("/usr/bin/fish"), Shell::Fish);
        assert_eq!(Shell::of_path("/bin/zsh"), Shell::Bash);
        assert_eq!(Shell::of_path("/bin/unheard-of"), Shell::Bash);
    }

    #[test]
    fn values_cannot_run() {
        assert_eq!(Shell::Bash.set("A", "$(x)`y`\"\\"), "export A=\"\\$(x)\\`y\\`\\\"\\\\\"\n");
        assert_eq!(Shell::Tcsh.set("A", "it's $x"), "setenv A 'it'\\''s $x';\n");
    }
}
