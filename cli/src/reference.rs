//! The reference of all commands, as Markdown, from what clap knows: `docs/cli.md` is this text.

use clap::{Arg, Command, CommandFactory};

use crate::args::Cli;
use crate::exit::Exit;

const HEAD: &str = "\
# The command line

<!-- Written by `skep docs`; a test compares. -->

Results go to stdout, progress and questions to stderr. Commands that take several names go through all of them.

A command that changes something waits until it is done and shows how far it is. Ctrl-C leaves it to itself; `skep
operation watch ID` comes back to it. Every change carries a request id: repeated with `--request-id`, nothing is done
twice.

A driver's own flags begin with its name, such as `--local-memory 1g`; `skep driver ls NAME` lists them with the
environment variables that stand for them.

The configuration (`--config`, else `SKEP_CONFIG`, else `~/.config/skep/config.toml`) names the cluster and the person:

```toml
cluster = \"0198…\"
coordinators = [\"10.0.0.1:7443\", \"10.0.0.2:7443\", \"10.0.0.3:7443\"]
ca = \"ca.pem\"
certificate = \"person.pem\"
key = \"person.key\"
```

Coordinators are tried in turn until one answers. The certificate is renewed by itself after half of its life.
";

/// Ends with a line's end.
pub fn reference() -> String {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        text.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
    }
    text.push_str("\n## Commands\n");
    for command in visible(&root) {
        add(&mut text, command, "skep");
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn add(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    if command.has_subcommands() {
        for command in visible(command) {
            add(text, command, &name);
        }
        return;
    }
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!("\n### {name}\n\n{about}.\n\n```\n{}\n```\n", usage(command, &name)));
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_id() != "help" && !arg.is_global_set())
        .collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | |\n|---|---|\n");
    }
    for argument in arguments {
        text.push_str(&row(argument));
    }
}

fn usage(command: &Command, name: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let own = usage.find(command.get_name()).map_or(usage, |at| &usage[at + command.get_name().len()..]);
    format!("{name}{own}")
}

fn row(argument: &Arg) -> String {
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values();
    if argument.get_action().takes_values() && !values.is_empty() {
        let names: Vec<String> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        help.push_str(&format!(". One of {}", names.join(", ")));
    }
    if let Some(default) =
        argument.get_default_values().first().filter(|_| argument.get_action().takes_values())
    {
        help.push_str(&format!(". Default: `{}`", default.to_string_lossy()));
    }
    format!("| `{}` | {}. |\n", form(argument), help.replace('|', "\\|"))
}

/// "--output, -o OUTPUT", "HOST...".
fn form(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(|| argument.get_id().to_string().to_uppercase(), ToString::to_string);
    if argument.is_positional() {
        let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        return if many { format!("{value}...") } else { value };
    }
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = long.into_iter().chain(short).collect();
    if argument.get_action().takes_values() {
        format!("{} {value}", names.join(", "))
    } else {
        names.join(", ")
    }
}
